import type { Row } from '../../state/backend.ts'
import { MergedBlocks } from './merge-blocks.ts'
import { pageRows, type RawBlocks, type RawRows, type RowPages } from './raw.ts'

/** Pages of one partition. */
export interface PartPages {
  next(): RawRows | Promise<RawRows>
  readonly blocks?: RawBlocks | undefined
  close(): void
}

interface Head {
  readonly pages: PartPages
  /** Among the parts: of equal keys the one of the first part comes first. */
  readonly place: number
  rows: RawRows
  at: number
}

/**
 * Merges the partitions of a store in the order of their keys. A page ends where a partition's rows have run out: what
 * comes next of it must be known before anything later is given.
 */
export function mergePages(parts: readonly PartPages[], reverse: boolean): RowPages {
  const [only] = parts
  const merged = new MergedPages(parts, reverse)
  return {
    blocks: blocksOf(parts, reverse),
    next: parts.length === 1 && only !== undefined ? async () => only.next() : () => merged.next(),
    close() {
      for (const part of parts) part.close()
    },
  }
}

class MergedPages {
  private readonly parts: readonly PartPages[]
  private readonly sign: 1 | -1
  /** By the rows that they are at. */
  private heads: Head[] | undefined

  constructor(parts: readonly PartPages[], reverse: boolean) {
    this.parts = parts
    this.sign = reverse ? -1 : 1
  }

  async next(): Promise<RawRows> {
    this.heads ??= await this.begin()
    const { heads } = this
    const rows: Row[] = []
    while (rows.length < pageRows) {
      const first = heads[0]
      if (first === undefined) break
      if (first.at === first.rows.length) {
        if (rows.length > 0) break
        first.rows = await first.pages.next()
        first.at = 0
      } else rows.push(first.rows[first.at++] as Row)
      if (first.rows.length === 0) heads.shift()
      else if (first.at < first.rows.length) this.settle(heads, first)
    }
    return rows
  }

  private async begin(): Promise<Head[]> {
    const all = await Promise.all(
      this.parts.map(async (pages, place): Promise<Head> => ({ pages, place, rows: await pages.next(), at: 0 })),
    )
    return all.filter(({ rows }) => rows.length > 0).sort((a, b) => this.order(a, b))
  }

  /** The first head has gone on: where it belongs is found in log2 of their number of comparisons. */
  private settle(heads: Head[], first: Head): void {
    let low = 1
    let high = heads.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.order(first, heads[middle] as Head) < 0) high = middle
      else low = middle + 1
    }
    if (low === 1) return
    heads.copyWithin(0, 1, low)
    heads[low - 1] = first
  }

  private order(a: Head, b: Head): number {
    return Buffer.compare((a.rows[a.at] as Row)[0], (b.rows[b.at] as Row)[0]) * this.sign || a.place - b.place
  }
}

/** If there is nothing in the first ones, what is opened then. */
export function pagesOrElse(first: RowPages, orElse: () => RowPages): RowPages {
  let pages: RowPages = first
  let other: (() => RowPages) | undefined = orElse
  return {
    async next() {
      const rows = await pages.next()
      const open = other
      other = undefined
      if (rows.length > 0 || open === undefined) return rows
      pages.close()
      pages = open()
      return pages.next()
    },
    close: () => pages.close(),
  }
}

/** undefined where a part has none. */
function blocksOf(parts: readonly PartPages[], reverse: boolean): RawBlocks | undefined {
  const all = parts.flatMap(({ blocks }) => blocks ?? [])
  if (all.length < parts.length || all.some(({ prefix }) => prefix !== all[0]?.prefix)) return undefined
  return all.length > 1 ? new MergedBlocks(all, reverse) : all[0]
}
