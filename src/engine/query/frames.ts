import { DhaaraError } from '../../errors/index.ts'
import { type Packed, packRaw, unpackRaw } from './packed.ts'
import type { RawRows, RawValues } from './raw.ts'
import type { RowChange } from './watch.ts'

/**
 * Answers on their way from one instance to another: frames of a length (u32), a kind (u8) and a body. An answer that does not
 * come to its last frame is none.
 */
export const frameKind = { rows: 1, number: 2, change: 3, error: 4, end: 5, alive: 6 } as const

export interface AnswerFrame {
  readonly kind: number
  readonly body: Buffer
}

const headBytes = 5
/** A page has 1024 rows at most; a row of more than this cannot be in a log either. */
const mostBytes = 1 << 30

export function frameOf(kind: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + body.length)
  frame.writeUInt32LE(body.length, 0)
  frame[4] = kind
  frame.set(body, headBytes)
  return frame
}

/** Rows or values: whether they are rows (u8), how many lengths (u32), the lengths (i32 each, -1: none), the bytes. */
export function rowsFrame(answer: RawRows | RawValues): Buffer {
  const { rows, lengths, bytes } = packRaw(answer)
  const body = Buffer.allocUnsafe(5 + 4 * lengths.length + bytes.byteLength)
  body[0] = rows ? 1 : 0
  body.writeUInt32LE(lengths.length, 1)
  for (const [i, length] of lengths.entries()) body.writeInt32LE(length, 5 + 4 * i)
  body.set(new Uint8Array(bytes), 5 + 4 * lengths.length)
  return frameOf(frameKind.rows, body)
}

export function rowsIn(body: Buffer): RawRows | RawValues {
  const lengths = new Int32Array(body.readUInt32LE(1))
  for (let i = 0; i < lengths.length; i++) lengths[i] = body.readInt32LE(5 + 4 * i)
  const bytes = new Uint8Array(body.subarray(5 + 4 * lengths.length)).buffer
  return unpackRaw({ rows: body[0] === 1, lengths, bytes } satisfies Packed)
}

/** A change: whether it is a row that was there first (u8), three lengths (i32 each, -1: none), the bytes. */
export function changeFrame({ first, key, before, after }: RowChange): Buffer {
  const parts = [key, before, after]
  const body = Buffer.allocUnsafe(13 + parts.reduce((sum, part) => sum + (part?.length ?? 0), 0))
  body[0] = first ? 1 : 0
  let at = 13
  for (const [i, part] of parts.entries()) {
    body.writeInt32LE(part?.length ?? -1, 1 + 4 * i)
    if (part === undefined) continue
    body.set(part, at)
    at += part.length
  }
  return frameOf(frameKind.change, body)
}

export function changeIn(body: Buffer): RowChange {
  let at = 13
  const parts = [0, 1, 2].map((i) => {
    const length = body.readInt32LE(1 + 4 * i)
    if (length < 0) return undefined
    at += length
    return Buffer.from(body.subarray(at - length, at))
  })
  return { first: body[0] === 1, key: parts[0] ?? Buffer.alloc(0), before: parts[1], after: parts[2] }
}

/** Frames, as their bytes come. */
export async function* framesIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<AnswerFrame, void> {
  let rest = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    while (rest.length >= headBytes) {
      const length = rest.readUInt32LE(0)
      if (length > mostBytes) throw new DhaaraError('DHAARA_MOVED', `an answer has a frame of ${length} bytes`)
      if (rest.length < headBytes + length) break
      yield { kind: rest[4] as number, body: rest.subarray(headBytes, headBytes + length) }
      rest = rest.subarray(headBytes + length)
    }
  }
}
