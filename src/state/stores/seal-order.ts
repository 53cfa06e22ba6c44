import { KeyWriter } from '../codec/index.ts'
import { BytesOrder } from './bytes-order.ts'
import { type KeyCodec, typedKeys } from './codecs.ts'

interface Keyed {
  readonly key: unknown
}

/** Below this, a comparison sort is as fast. */
const few = 64
const places = 2 ** 20
const mostKey = 2 ** 32

/**
 * Orders entries by the bytes of their keys. Keys that are small whole numbers, or tuples that begin with one, which is what many
 * tables have, are sorted as numbers that carry their place: no function is called a comparison, which is what a sort of objects
 * costs. Tuples that begin with the same number are compared then. Other keys are ordered by their bytes.
 */
export function inKeyOrder<T extends Keyed>(entries: T[], keys: KeyCodec): T[] {
  if (entries.length <= few) return entries.sort((a, b) => keys.compare(a.key, b.key))
  const tuples = Array.isArray(entries[0]?.key)
  const numbers = keys === typedKeys && entries.length < places ? placed(entries, tuples) : undefined
  if (numbers === undefined) return byBytes(entries, keys)
  numbers.sort()
  const sorted = new Array<T>(entries.length)
  for (let i = 0; i < numbers.length; i++) sorted[i] = entries[(numbers[i] as number) % places] as T
  if (tuples) sortRuns(sorted, numbers, keys)
  return sorted
}

const bytes = new BytesOrder()
let writer = new KeyWriter()
/** Beyond this the memory for the bytes of keys is not kept. */
const mostKept = 8 << 20

function byBytes<T extends Keyed>(entries: readonly T[], keys: KeyCodec): T[] {
  writer.reset()
  const starts = new Uint32Array(entries.length + 1)
  for (let i = 0; i < entries.length; i++) {
    keys.write(writer, (entries[i] as T).key)
    starts[i + 1] = writer.pos
  }
  const order = bytes.sort(writer.buf, starts, entries.length)
  if (writer.buf.length > mostKept) writer = new KeyWriter()
  const sorted = new Array<T>(entries.length)
  for (let i = 0; i < sorted.length; i++) sorted[i] = entries[order[i] as number] as T
  return sorted
}

/** number * 2^20 + place; undefined if some key neither is nor begins with a whole number below 2^32. */
function placed(entries: readonly Keyed[], tuples: boolean): Float64Array | undefined {
  const numbers = new Float64Array(entries.length)
  for (let i = 0; i < entries.length; i++) {
    const { key } = entries[i] as Keyed
    if (Array.isArray(key) !== tuples) return undefined
    const number: unknown = tuples ? (key as readonly unknown[])[0] : key
    if (typeof number !== 'number' || !(number >= 0 && number < mostKey) || Math.floor(number) !== number)
      return undefined
    numbers[i] = number * places + i
  }
  return numbers
}

/** Those whose numbers are equal, by the whole of their keys. */
function sortRuns<T extends Keyed>(sorted: T[], numbers: Float64Array, keys: KeyCodec): void {
  for (let from = 0, to = 1; from < sorted.length; from = to++) {
    const first = Math.floor((numbers[from] as number) / places)
    while (to < sorted.length && (numbers[to] as number) < (first + 1) * places) to++
    if (to - from < 2) continue
    const run = sorted.slice(from, to).sort((a, b) => keys.compare(a.key, b.key))
    for (let i = 0; i < run.length; i++) sorted[from + i] = run[i] as T
  }
}
