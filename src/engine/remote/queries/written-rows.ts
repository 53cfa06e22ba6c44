import type { BackendReader } from '../../../state/backend.ts'

export interface WrittenRow {
  /** With the store's prefix. */
  readonly key: Uint8Array
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

/** Stores and partitions of which somebody watches rows, as in the keys of rows. */
export interface WatchedStores {
  readonly numbers: ReadonlySet<number>
  /** Those whose rows are wanted as they were, too. */
  readonly before: ReadonlySet<number>
}

/** Store and partition, of a row's key. */
export const numberOf = (key: Uint8Array): number =>
  (key[1] as number) * 16777216 + ((key[2] as number) << 16) + ((key[3] as number) << 8) + (key[4] as number)

/** The stores at which a runner looks while it seals an epoch. */
export class Looked {
  private wanted: WatchedStores | undefined

  /** undefined: nobody watches. */
  get stores(): WatchedStores | undefined {
    return this.wanted
  }

  /**
   * From now on at these. They are set at once and not when the commit is over that is under way: who asked later would otherwise
   * be put back to what an earlier one wanted, if both wait for the same commit.
   *
   * @param committing the commit that is under way: it was sealed while others were looked at
   * @returns when every commit that is sealed, and not over, has looked at them
   */
  async at(wanted: WatchedStores, committing: () => Promise<unknown> | undefined): Promise<void> {
    this.wanted = wanted.numbers.size === 0 ? undefined : wanted
    await committing()
  }
}

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
