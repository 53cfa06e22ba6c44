import type { Chunk } from '../../workload/chunks.ts'

/** Each record of a chunk as text. */
export function feed({ bytes, offsets, count }: Chunk, take: (text: string) => void): void {
  for (let i = 0; i < count; i++) take(bytes.utf8Slice(offsets[i], offsets[i + 1]))
}

/** The same as a generator, for what pulls. */
export function* texts({ bytes, offsets, count }: Chunk): Generator<string> {
  for (let i = 0; i < count; i++) yield bytes.utf8Slice(offsets[i], offsets[i + 1])
}
