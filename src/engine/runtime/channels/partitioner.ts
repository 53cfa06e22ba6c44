import { encodeKey } from '../../../state/codec/index.ts'

/** FNV-1a over code units: internal partitions only have to agree with themselves. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash
}

/** The partition of an internal topic that a key belongs to. Null keys may go anywhere: they go to the first. */
export function keyPartition(key: unknown, partitions: number): number {
  if (partitions === 1 || key === null || key === undefined) return 0
  const hash = typeof key === 'string' ? hashText(key) : hashBytes(encodeKey(key))
  return ((hash ^ (hash >>> 15)) >>> 0) % partitions
}
