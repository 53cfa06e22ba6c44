import type { Row, TextBlock } from '../../state/backend.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { StoreLayout } from './layout.ts'

/** A question about the rows of one partition of a store, in bytes: keys are without the store's prefix. */
export type RawQuery =
  | { readonly type: 'get'; readonly keys: readonly Uint8Array[]; readonly most?: number | undefined }
  | ({ readonly type: 'scan'; readonly gte?: Uint8Array; readonly lt?: Uint8Array } & Paging)
  /** Rows of one key, of those that start in [from, to], in a store whose rows are by start. */
  | ({ readonly type: 'windows'; readonly key: Uint8Array; readonly from: number; readonly to: number } & Paging)

interface Paging {
  readonly reverse: boolean
  readonly limit: number
}

/** One value a key for `get`, undefined where there is none; else rows. */
export type RawRows = readonly Row[]
export type RawValues = readonly (Uint8Array | undefined)[]

export interface RawRange {
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
  readonly reverse: boolean
  /** Whoever asks will read blocks, if there are any. */
  readonly blocks?: boolean
}

export interface RawWindows {
  readonly key: Uint8Array
  readonly from: number
  readonly to: number
  readonly reverse: boolean
  /** More are not wanted of any partition; there may be more. Default: all. */
  readonly limit?: number
}

/** Pages of rows in the order of their keys. */
export interface RowPages {
  /** An empty one is the end. */
  next(): Promise<RawRows>
  /** The same rows as they lie, where they lie in a database; whoever asks for one goes on with these alone. */
  readonly blocks?: RawBlocks | undefined
  /** Lets go of what it holds; idempotent. */
  close(): void
}

/** Rows in blocks: keys and values in turn, keys with the first bytes of their store before them. */
export interface RawBlocks {
  /** Bytes of a key that are its store's and its partition's; each of them is a character where keys are texts. */
  readonly prefix: number
  /** undefined is the end. */
  next(): Promise<TextBlock | undefined>
}

/** Partitions of stores. */
export interface Partitions {
  /** Those that can be looked into. */
  partitionsOf(layout: StoreLayout): readonly number[]
  /** Of all, wherever they are. Absent where nobody knows: then a key is looked for in all that can be looked into. */
  readonly partitionCount?: ((layout: StoreLayout) => number) | undefined
}

/** Where queries find the rows of a store, whatever partition they are in. */
export interface RowSource {
  /**
   * @param most bytes, at which reading ends
   * @throws DhaaraError DHAARA_QUERY: the rows have more
   */
  get(layout: StoreLayout, keys: readonly Uint8Array[], most?: number): RawValues | Promise<RawValues>
  /** As `get`, of one key, whose bytes are the caller's again when it returns: where asking for one is worth a way of its own. */
  getOne?(layout: StoreLayout, key: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>
  scan(layout: StoreLayout, range: RawRange): RowPages
  windows(layout: StoreLayout, range: RawWindows): RowPages
}

/** Rows of a page. Between two pages others have their turn. */
export const pageRows = 256

/** @throws DhaaraError DHAARA_QUERY: more was read than is wanted at once */
export function checkBytes(bytes: number, most: number): void {
  if (bytes <= most) return
  throw new DhaaraError(
    'DHAARA_QUERY',
    `the rows of these keys have more than ${most >> 20} MiB; ask for fewer at a time`,
  )
}

export const bytesIn = (rows: RawValues): number => rows.reduce((sum, row) => sum + (row?.length ?? 0), 0)
