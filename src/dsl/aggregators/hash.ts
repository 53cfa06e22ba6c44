import type { OrderedKey } from '../serdes/types.ts'

const bits = new DataView(new ArrayBuffer(8))
/** What stands before a part, so that values of two types, or tuples cut elsewhere, have other hashes. */
const tags = { string: 1, number: 2, bigint: 3, true: 4, false: 5, date: 6, tuple: 7 } as const

let low = 0
let high = 0
let length = 0

/**
 * A hash of 53 bits of an ordered key, as a number. Two murmur3 hashes of 32 bits (Austin Appleby, public domain) with
 * different seeds, over the same blocks: a string's are its code units, two by two.
 */
export function hashKey(key: OrderedKey): number {
  low = 0x9747b28c
  high = 0x3c6ef372
  length = 0
  feed(key)
  return (finish(high ^ length) & 0x1fffff) * 4294967296 + finish(low ^ length)
}

function feed(key: OrderedKey): void {
  if (typeof key === 'string') text(tags.string, key)
  else if (typeof key === 'number') number(tags.number, key)
  else if (typeof key === 'bigint') text(tags.bigint, String(key))
  else if (typeof key === 'boolean') block(key ? tags.true : tags.false)
  else if (key instanceof Date) number(tags.date, key.getTime())
  else {
    block(tags.tuple)
    block((key as readonly OrderedKey[]).length)
    for (const part of key as readonly OrderedKey[]) feed(part)
  }
}

function text(tag: number, value: string): void {
  block(tag)
  block(value.length)
  let i = 0
  for (; i + 1 < value.length; i += 2) block(value.charCodeAt(i) | (value.charCodeAt(i + 1) << 16))
  if (i < value.length) block(value.charCodeAt(i))
}

function number(tag: number, value: number): void {
  block(tag)
  bits.setFloat64(0, value === 0 ? 0 : value)
  block(bits.getInt32(0))
  block(bits.getInt32(4))
}

function block(k: number): void {
  length += 4
  low = mix(low, k)
  high = mix(high, k)
}

function mix(h: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51)
  k = (k << 15) | (k >>> 17)
  const x = h ^ Math.imul(k, 0x1b873593)
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0
}

/** Unsigned. */
function finish(hash: number): number {
  let h = hash ^ (hash >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
