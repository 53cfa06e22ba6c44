import { type KeyCodec, typedKeys } from './codecs.ts'

interface Keyed {
  readonly key: unknown
}

/** Below this, a comparison sort is as fast. */
const few = 64
const places = 2 ** 20
const mostKey = 2 ** 32

/**
 * Orders entries by the bytes of their keys. Keys that are small whole numbers, which is what many tables have, are
 * sorted as numbers that carry their place: no function is called a comparison, which is what a sort of objects costs.
 */
export function inKeyOrder<T extends Keyed>(entries: T[], keys: KeyCodec): T[] {
  const numbers = keys === typedKeys && entries.length > few && entries.length < places ? placed(entries) : undefined
  if (numbers === undefined) return entries.sort((a, b) => keys.compare(a.key, b.key))
  numbers.sort()
  const sorted = new Array<T>(entries.length)
  for (let i = 0; i < numbers.length; i++) sorted[i] = entries[(numbers[i] as number) % places] as T
  return sorted
}

/** key * 2^20 + place; undefined if some key is no whole number below 2^32. */
function placed(entries: readonly Keyed[]): Float64Array | undefined {
  const numbers = new Float64Array(entries.length)
  for (let i = 0; i < entries.length; i++) {
    const { key } = entries[i] as Keyed
    if (typeof key !== 'number' || !(key >= 0 && key < mostKey) || Math.floor(key) !== key) return undefined
    numbers[i] = key * places + i
  }
  return numbers
}
