/**
 * Rows of stores that go by time lie in stretches, which leave the database as a whole:
 *
 *     prefix | start of the stretch (8 bytes) | …
 */
import { after, readTime, type Sealer, type StoreSpace, writeTime } from './space.ts'

/** The first key of a stretch. */
export function startKey(prefix: Uint8Array, start: number): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + 8)
  key.set(prefix, 0)
  writeTime(key, start, prefix.length)
  return key
}

/** Starts that have rows, ascending: one seek each, however many rows they have. */
export function storedStarts({ reader, prefix }: StoreSpace): number[] {
  const found: number[] = []
  const lt = after(prefix)
  for (let gte: Buffer = prefix; ; ) {
    const [key] = reader.collect({ gte, lt, limit: 1 })
    if (key === undefined) return found
    const start = readTime(key, prefix.length)
    found.push(start)
    gte = startKey(prefix, start + 1)
  }
}

/** Into its place; most come last. @param starts ascending */
export function addStart(starts: number[], start: number): void {
  let i = starts.length
  while (i > 0 && (starts[i - 1] as number) > start) i--
  starts.splice(i, 0, start)
}

/** Range clears for what was dropped: stretches with nothing that lives between them go together. @param live ascending */
export function clearStretches(
  dropped: Iterable<number>,
  live: readonly number[],
  prefix: Uint8Array,
  to: Sealer,
): void {
  const gone = [...dropped].sort((a, b) => a - b)
  for (let i = 0; i < gone.length; ) {
    const first = gone[i] as number
    const next = live.find((start) => start > first) ?? Number.POSITIVE_INFINITY
    while (i + 1 < gone.length && (gone[i + 1] as number) < next) i++
    to.clearLater(startKey(prefix, first), startKey(prefix, (gone[i++] as number) + 1))
  }
}
