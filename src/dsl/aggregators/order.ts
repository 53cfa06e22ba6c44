import type { OrderedKey } from '../serdes/types.ts'

/**
 * Order of one type of ordered keys: numbers and dates by size, strings by code unit, false before true, tuples part by
 * part (a start comes before what it begins). The engine's typed key codec keeps strings in the order of their UTF-8
 * bytes, which differs beyond U+FFFF; results that users see are ordered as JavaScript orders.
 * @returns negative, 0 or positive
 */
export function compareKeys(a: OrderedKey, b: OrderedKey): number {
  if (typeof a === 'object' || typeof b === 'object') return compareObjects(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

function compareObjects(a: OrderedKey, b: OrderedKey): number {
  if (!Array.isArray(a) || !Array.isArray(b)) return Number(a) - Number(b)
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = compareKeys(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** First index in `items` (ascending) that is not below `item`. */
export function lowerBound(items: readonly OrderedKey[], item: OrderedKey): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(items[middle] as OrderedKey, item) < 0) low = middle + 1
    else high = middle
  }
  return low
}
