import type { Row } from '../../state/backend.ts'
import type { StoreLayout } from './layout.ts'
import type { RowSource } from './raw.ts'
import type { QueryOptions } from './types.ts'
import type { WatchRows } from './watch.ts'

/** A store that is there, and where its rows are found. */
export interface OpenStore {
  readonly layout: StoreLayout
  rows(options: QueryOptions): RowSource
  /** Any row, of the store or of one of its indexes: one that lies here, if there are any. */
  firstRow(options: QueryOptions, of: StoreLayout): Promise<Row | undefined>
  /** Names of its indexes. */
  readonly indexes: readonly string[]
  /** Rows, as counted while they were written; undefined where they were not. */
  estimate(): number | undefined | Promise<number | undefined>
  /** @throws DhaaraError DHAARA_UNSUPPORTED where changes cannot be watched */
  watching(): WatchRows
}
