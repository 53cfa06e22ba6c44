import type { BackendReader } from '../../state/backend.ts'
import type { WrittenRow } from './watches.ts'

/** Stores and partitions of which somebody watches rows, as in the keys of rows. */
export interface WatchedStores {
  readonly numbers: ReadonlySet<number>
  /** Those whose rows are wanted as they were, too. */
  readonly before: ReadonlySet<number>
}

/** Store and partition, of a row's key. */
export const numberOf = (key: Uint8Array): number =>
  (key[1] as number) * 16777216 + ((key[2] as number) << 16) + ((key[3] as number) << 8) + (key[4] as number)

/** What is sealed of an epoch, of rows that are watched. */
export class WrittenRows {
  readonly rows: WrittenRow[] = []
  private readonly wanted: WatchedStores
  private readonly reader: BackendReader

  constructor(wanted: WatchedStores, reader: BackendReader) {
    this.wanted = wanted
    this.reader = reader
  }

  look(key: Uint8Array, after: Uint8Array | undefined): void {
    const number = numberOf(key)
    if (!this.wanted.numbers.has(number)) return
    const before = this.wanted.before.has(number) ? this.reader.get(key) : undefined
    // memory of their own: buffers are used again, and what goes to another thread takes all that is behind it along
    const own = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new Uint8Array(bytes))
    this.rows.push({ key: new Uint8Array(key), before: own(before), after: own(after) })
  }
}
