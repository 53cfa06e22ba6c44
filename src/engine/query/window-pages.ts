import { setImmediate } from 'node:timers/promises'
import type { BackendReader, Row } from '../../state/backend.ts'
import { after, readTime, writeTime } from '../../state/stores/index.ts'
import type { PartPages } from './merge.ts'
import type { RawWindows } from './raw.ts'

/** Starts that are looked at in one turn of the event loop: some two milliseconds. */
const mostStarts = 256

/**
 * Rows of a key's windows in one partition. They are by start, then by key: a seek or two for each start. What a page has is of
 * one moment.
 */
export function windowPages(
  reader: BackendReader,
  prefix: Buffer,
  { key, from, to, reverse, limit = Number.POSITIVE_INFINITY }: RawWindows,
  settle: (() => void) | undefined,
): PartPages {
  const next = reverse ? backward(reader, prefix, key, from) : forward(reader, prefix, key, to)
  let at: number | undefined = reverse ? to : from
  let pages = 0
  let left = limit
  return {
    async next() {
      if (pages++ > 0) await setImmediate()
      settle?.()
      const page: Row[] = []
      for (let looks = 0; at !== undefined && page.length < left; looks++) {
        if (looks === mostStarts) {
          if (page.length > 0) break
          looks = 0
          await setImmediate()
          settle?.()
        }
        const found = next(at)
        at = found?.next
        if (found?.row !== undefined) page.push(found.row)
      }
      left -= page.length
      return page
    },
    close: () => {},
  }
}

/** What a look at one start found, and where to look next. */
interface Found {
  readonly row?: Row
  readonly next: number | undefined
}

function forward(
  reader: BackendReader,
  prefix: Buffer,
  key: Uint8Array,
  to: number,
): (at: number) => Found | undefined {
  const lt = after(prefix)
  return (at) => {
    if (at > to) return undefined
    const [rowKey, value] = reader.collect({ gte: windowKey(prefix, at, key), lt, limit: 1 })
    if (rowKey === undefined) return undefined
    const start = readTime(rowKey, prefix.length)
    if (start > to) return undefined
    const own = rowKey.subarray(prefix.length + 8)
    const order = Buffer.compare(own, key)
    if (order === 0) return { row: [rowKey.subarray(prefix.length), value as Uint8Array], next: start + 1 }
    // a later start whose first key comes before this one may have it
    return { next: start > at && order < 0 ? start : start + 1 }
  }
}

function backward(
  reader: BackendReader,
  prefix: Buffer,
  key: Uint8Array,
  from: number,
): (at: number) => Found | undefined {
  return (at) => {
    if (at < from) return undefined
    const lt = Buffer.concat([windowKey(prefix, at, key), Buffer.of(0)])
    const [rowKey, value] = reader.collect({ gte: prefix, lt, reverse: true, limit: 1 })
    if (rowKey === undefined) return undefined
    const start = readTime(rowKey, prefix.length)
    if (start < from) return undefined
    const order = Buffer.compare(rowKey.subarray(prefix.length + 8), key)
    if (order === 0) return { row: [rowKey.subarray(prefix.length), value as Uint8Array], next: start - 1 }
    return { next: start < at && order > 0 ? start : start - 1 }
  }
}

function windowKey(prefix: Buffer, start: number, key: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(prefix.length + 8 + key.length)
  row.set(prefix, 0)
  writeTime(row, start, prefix.length)
  row.set(key, prefix.length + 8)
  return row
}
