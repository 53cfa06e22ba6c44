/**
 * murmur2 as Apache Kafka's Java client computes it, so that a key has the same partition whoever sends it.
 *
 * @returns a signed 32-bit number
 * @see Austin Appleby's MurmurHash2; Kafka's `Utils.murmur2`, seed 0x9747b28c
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  let h = 0x9747b28c ^ length
  const words = length & ~3
  for (let i = 0; i < words; i += 4) {
    let k =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    k = Math.imul(k, 0x5bd1e995)
    k ^= k >>> 24
    k = Math.imul(k, 0x5bd1e995)
    h = Math.imul(h, 0x5bd1e995) ^ k
  }
  const rest = length & 3
  if (rest === 3) h ^= (bytes[words + 2] as number) << 16
  if (rest >= 2) h ^= (bytes[words + 1] as number) << 8
  if (rest >= 1) h = Math.imul(h ^ (bytes[words] as number), 0x5bd1e995)
  h ^= h >>> 13
  h = Math.imul(h, 0x5bd1e995)
  return h ^ (h >>> 15)
}

/** The partition of a keyed record. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}
