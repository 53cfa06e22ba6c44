import { type AskOwner, LatestRows } from './latest.ts'
import { type CommittedParts, CommittedRows } from './committed.ts'
import type { StoreLayout } from './layout.ts'
import type { WatchedRows, WatchFrom } from './watch.ts'
import type { RawRange, RawRows, RawValues, RawWindows, RowPages, RowSource } from './raw.ts'

/** What one instance asks another about the rows of a store, in bytes. */
export type Question =
  | { readonly type: 'get'; readonly keys: readonly Uint8Array[] }
  | ({ readonly type: 'scan' } & RawRange)
  | ({ readonly type: 'windows' } & RawWindows)
  | { readonly type: 'watch'; readonly what: WatchedRows; readonly from: WatchFrom }
  /** How many rows were counted while they were written. */
  | { readonly type: 'estimate' }

/** Of which partitions, and how. */
export interface QuestionOf {
  readonly store: string
  readonly partitions: readonly number[]
  readonly isolation: 'committed' | 'latest'
  /** Not before the commits that are under way are done. */
  readonly settled: boolean
  readonly question: Question
}

export interface OwnParts {
  readonly committed: Omit<CommittedParts, 'partitionsOf'>
  readonly ask: AskOwner
  /** Resolves when no commit of these partitions' tasks is under way that was when it was called. */
  settle(layout: StoreLayout, partitions: readonly number[]): Promise<void>
  /** @throws DhaaraError DHAARA_MOVED: another may have one of these partitions now */
  check(layout: StoreLayout, partitions: readonly number[]): void
}

/**
 * Rows of partitions that are this instance's, and not a row of what it has lost: whether it still has them is looked at
 * after they were read, so that it had them when they were read.
 */
export class OwnRows implements RowSource {
  private readonly parts: OwnParts
  private readonly partitions: readonly number[]
  private readonly settled: boolean
  private readonly latest: boolean
  private readonly rows: RowSource

  constructor(
    parts: OwnParts,
    { partitions, isolation, settled }: Pick<QuestionOf, 'partitions' | 'isolation' | 'settled'>,
  ) {
    const partitionsOf = (): readonly number[] => partitions
    this.parts = parts
    this.partitions = partitions
    this.settled = settled
    this.latest = isolation === 'latest'
    this.rows = this.latest
      ? new LatestRows(parts.ask, { partitionsOf, partitionCount: parts.committed.partitionCount })
      : new CommittedRows({ ...parts.committed, partitionsOf })
  }

  async get(layout: StoreLayout, keys: readonly Uint8Array[], most?: number): Promise<RawValues> {
    if (this.partitions.length === 0) return keys.map(() => undefined)
    await this.settle(layout)
    const values = await this.rows.get(layout, keys, most)
    this.parts.check(layout, this.partitions)
    return values
  }

  scan(layout: StoreLayout, range: RawRange): RowPages {
    return this.pages(layout, this.latest || layout.inParts, () => this.rows.scan(layout, range))
  }

  windows(layout: StoreLayout, range: RawWindows): RowPages {
    return this.pages(layout, true, () => this.rows.windows(layout, range))
  }

  /** @param anew each page is of a moment of its own */
  private pages(layout: StoreLayout, anew: boolean, open: () => RowPages): RowPages {
    let pages: RowPages | undefined
    let closed = false
    const begin = (): RowPages => {
      const opened = open()
      try {
        this.parts.check(layout, this.partitions)
      } catch (error) {
        opened.close()
        throw error
      }
      return opened
    }
    // what is there at this moment, unless a later one is asked for
    if (!this.settled && this.partitions.length > 0) pages = begin()
    return {
      next: async (): Promise<RawRows> => {
        if (this.partitions.length === 0) return []
        if (pages === undefined) {
          await this.settle(layout)
          if (closed) return []
          pages = begin()
        }
        const rows = await pages.next()
        if (anew) this.parts.check(layout, this.partitions)
        return rows
      },
      close: () => {
        closed = true
        pages?.close()
      },
    }
  }

  private async settle(layout: StoreLayout): Promise<void> {
    if (this.settled) await this.parts.settle(layout, this.partitions)
  }
}
