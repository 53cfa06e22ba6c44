import type { Row } from '../../state/backend.ts'
import type { RawRows, RawValues } from './raw.ts'

/** Rows or values in one piece of memory, to be handed from thread to thread. */
export interface Packed {
  readonly rows: boolean
  /** Of keys and values in turn, or of values alone; -1: none. */
  readonly lengths: Int32Array<ArrayBuffer>
  readonly bytes: ArrayBuffer
}

export function packRaw(answer: RawRows | RawValues): Packed {
  const rows = Array.isArray(answer[0])
  const parts = rows ? (answer as RawRows).flat() : (answer as RawValues)
  const lengths = new Int32Array(parts.length)
  let size = 0
  for (const [i, part] of parts.entries()) {
    lengths[i] = part?.length ?? -1
    size += part?.length ?? 0
  }
  const bytes = new ArrayBuffer(size)
  const all = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    if (part === undefined) continue
    all.set(part, at)
    at += part.length
  }
  return { rows, lengths, bytes }
}

export function unpackRaw({ rows, lengths, bytes }: Packed): RawRows | RawValues {
  let at = 0
  const parts = Array.from(lengths, (length) => {
    if (length < 0) return undefined
    at += length
    return Buffer.from(bytes, at - length, length)
  })
  if (!rows) return parts
  const pairs: Row[] = []
  for (let i = 0; i < parts.length; i += 2) pairs.push([parts[i] as Buffer, parts[i + 1] as Buffer])
  return pairs
}
