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
  rows: RawRows
  at: number
  ended: boolean
}

/**
 * Merges the partitions of a store in the order of their keys. A page ends where a partition's rows have run out: what
 * comes next of it must be known before anything later is given.
 */
export function mergePages(parts: readonly PartPages[], reverse: boolean): RowPages {
  const heads: readonly Head[] = parts.map((pages) => ({ pages, rows: [], at: 0, ended: false }))
  const sign = reverse ? -1 : 1
  const fill = async (head: Head): Promise<void> => {
    if (head.ended || head.at < head.rows.length) return
    head.rows = await head.pages.next()
    head.at = 0
    head.ended = head.rows.length === 0
  }
  const page = (): RawRows => {
    const rows: Row[] = []
    while (rows.length < pageRows) {
      let first: Head | undefined
      for (const head of heads) {
        if (head.ended) continue
        if (head.at >= head.rows.length) return rows
        if (first === undefined || compare(head, first) * sign < 0) first = head
      }
      if (first === undefined) return rows
      rows.push(first.rows[first.at++] as Row)
    }
    return rows
  }
  return {
    blocks: blocksOf(parts, reverse),
    async next() {
      const [only] = heads
      if (heads.length === 1 && only !== undefined) return only.pages.next()
      for (const head of heads) await fill(head)
      return page()
    },
    close() {
      for (const { pages } of heads) pages.close()
    },
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

const compare = (a: Head, b: Head): number => Buffer.compare((a.rows[a.at] as Row)[0], (b.rows[b.at] as Row)[0])

/** undefined where a part has none. */
function blocksOf(parts: readonly PartPages[], reverse: boolean): RawBlocks | undefined {
  const all = parts.flatMap(({ blocks }) => blocks ?? [])
  if (all.length < parts.length || all.some(({ prefix }) => prefix !== all[0]?.prefix)) return undefined
  return all.length > 1 ? new MergedBlocks(all, reverse) : all[0]
}
