import type { RangeOptions } from '../backend.ts'
import { asBuffer } from '../codec/bytes.ts'

/** A half-open range of keys; `lt` undefined is the end of the database. */
export interface Bounds {
  readonly gte: Buffer
  readonly lt: Buffer | undefined
}

const empty = Buffer.alloc(0)

/** Narrows the four ends of a range to `[gte, lt)`: the successor of a key is the key and a zero byte. */
export function bounds(range: RangeOptions): Bounds {
  let gte = range.gte === undefined ? empty : asBuffer(range.gte)
  if (range.gt !== undefined) {
    const after = successor(range.gt)
    if (after.compare(gte) > 0) gte = after
  }
  let lt = range.lt === undefined ? undefined : asBuffer(range.lt)
  if (range.lte !== undefined) {
    const after = successor(range.lte)
    if (lt === undefined || after.compare(lt) < 0) lt = after
  }
  return { gte, lt }
}

/** True if no key can lie between the two. */
export function isEmpty({ gte, lt }: Bounds): boolean {
  return lt !== undefined && gte.compare(lt) >= 0
}

function successor(key: Uint8Array): Buffer {
  const next = Buffer.alloc(key.length + 1)
  next.set(key)
  return next
}
