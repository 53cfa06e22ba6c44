import type { TextBlock } from '../../state/backend.ts'
import { asBuffer } from '../../state/codec/index.ts'
import type { RawBlocks } from './raw.ts'

type Key = string | Uint8Array

/** Rows of a merged block. */
const blockRows = 512

interface Head {
  readonly blocks: RawBlocks
  /** Among the parts: of equal keys the one of the first part comes first. */
  readonly place: number
  rows: TextBlock
  /** Of the key in `rows`; at their end the next ones are to be asked for. */
  at: number
}

/**
 * Merges the blocks of several partitions in the order of their keys, without an object for a row. Keys are texts or bytes, as they
 * came; texts are compared as their bytes would be.
 *
 *     heads, by the key that each is at    b…  c…  f…        the first gives its row, and goes to its new place:
 *                                          c…  d…  f…        found in log2 of their number of comparisons
 */
export class MergedBlocks implements RawBlocks {
  readonly prefix: number
  private readonly parts: readonly RawBlocks[]
  private readonly sign: 1 | -1
  /** By the keys that they are at. */
  private heads: Head[] | undefined
  /** Characters or bytes with which all keys of the heads' blocks begin, but for the prefix of their part. */
  private shared = 0

  /** @param parts with prefixes of one length */
  constructor(parts: readonly RawBlocks[], reverse: boolean) {
    this.parts = parts
    this.prefix = parts[0]?.prefix ?? 0
    this.sign = reverse ? -1 : 1
  }

  async next(): Promise<TextBlock | undefined> {
    this.heads ??= await this.begin()
    const { heads } = this
    const rows: Key[] = []
    while (heads.length > 0 && rows.length < 2 * blockRows) {
      const first = heads[0] as Head
      if (first.at < first.rows.length) {
        this.take(heads, rows)
        continue
      }
      // what comes next of it must be known before anything later is given
      const more = await first.blocks.next()
      heads.shift()
      if (more === undefined) continue
      first.rows = more
      first.at = 0
      this.shared = sharedBy([first, ...heads], this.prefix)
      heads.splice(this.placeOf(heads, first, 0), 0, first)
    }
    return rows.length === 0 ? undefined : rows
  }

  private async begin(): Promise<Head[]> {
    const heads: Head[] = []
    this.shared = this.prefix
    for (const [place, blocks] of this.parts.entries()) {
      const rows = await blocks.next()
      if (rows === undefined) continue
      const head = { blocks, place, rows, at: 0 }
      heads.splice(this.placeOf(heads, head, 0), 0, head)
    }
    return heads
  }

  /** Until the first head has no more, or there are enough. */
  private take(heads: Head[], rows: Key[]): void {
    while (rows.length < 2 * blockRows) {
      const first = heads[0] as Head
      rows.push(first.rows[first.at] as Key, first.rows[first.at + 1] as Key)
      first.at += 2
      if (first.at === first.rows.length) return
      if (heads.length === 1 || this.order(first, heads[1] as Head) < 0) continue
      const to = this.placeOf(heads, first, 1) - 1
      for (let i = 0; i < to; i++) heads[i] = heads[i + 1] as Head
      heads[to] = first
    }
  }

  /** Where a head belongs among those from there on. */
  private placeOf(heads: readonly Head[], head: Head, from: number): number {
    let low = from
    let high = heads.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.order(head, heads[middle] as Head) < 0) high = middle
      else low = middle + 1
    }
    return low
  }

  private order(a: Head, b: Head): number {
    return compareKeys(a.rows[a.at] as Key, b.rows[b.at] as Key, this.shared) * this.sign || a.place - b.place
  }
}

/** With how many characters all keys that the heads have still begin, if all are texts. Their first and their last ones tell. */
function sharedBy(heads: readonly Head[], prefix: number): number {
  const [{ rows, at }] = heads as [Head]
  const first = rows[at] as Key
  let shared = first.length
  for (const head of heads)
    for (const key of [head.rows[head.at] as Key, head.rows.at(-2) as Key]) {
      if (typeof first !== 'string' || typeof key !== 'string') return prefix
      shared = Math.min(shared, key.length)
      let i = prefix
      while (i < shared && key.charCodeAt(i) === first.charCodeAt(i)) i++
      shared = i
    }
  return shared
}

/** As their bytes behind the prefix order. Texts are well-formed, since they were bytes. */
export function compareKeys(a: Key, b: Key, prefix: number): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b, prefix)
  const [left, right] = [ownBytes(a, prefix), ownBytes(b, prefix)]
  return Buffer.compare(left, right)
}

function compareTexts(a: string, b: string, from: number): number {
  const end = Math.min(a.length, b.length)
  for (let i = from; i < end; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return inPoints(x) - inPoints(y)
  }
  return a.length - b.length
}

/** Units of UTF-16 in the order of code points, which is that of UTF-8: surrogates, of the highest points, last. */
const inPoints = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

const ownBytes = (key: Key, prefix: number): Buffer =>
  typeof key === 'string' ? Buffer.from(key.slice(prefix)) : asBuffer(key.subarray(prefix))
