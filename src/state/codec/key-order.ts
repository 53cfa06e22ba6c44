import { types } from 'node:util'
import { encodeKey } from './keys.ts'

/** The order of the encoded bytes, mostly without encoding: negative, 0 or positive. */
export function compareKeys(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  if (Array.isArray(a) && Array.isArray(b)) return compareTuples(a, b)
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
  if (types.isDate(a) && types.isDate(b)) return a.getTime() - b.getTime()
  return Buffer.compare(encodePart(a), encodePart(b))
}

/** UTF-8 orders by code points, JavaScript by UTF-16 units: they differ from the first surrogate on. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = a.length < b.length ? a.length : b.length
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    return x < 0xd800 && y < 0xd800 ? x - y : comparePoints(a, b, i)
  }
  // One starts with the other. Its last unit may be half of the other's pair, which orders after it all the same.
  return a.length - b.length
}

function comparePoints(a: string, b: string, at: number): number {
  const before = at > 0 && (a.charCodeAt(at - 1) & 0xfc00) === 0xd800 ? at - 1 : at
  const difference = (a.codePointAt(before) as number) - (b.codePointAt(before) as number)
  return difference !== 0 ? difference : (a.codePointAt(at) as number) - (b.codePointAt(at) as number)
}

function compareTuples(a: readonly unknown[], b: readonly unknown[]): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = compareKeys(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

// A null is a key inside of tuples only; the end mark that the wrapping adds is the same for both.
const encodePart = (key: unknown): Uint8Array => encodeKey(key === null ? [null] : [key])
