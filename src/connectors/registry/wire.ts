/**
 * How a record tells its schema: one byte 0, the schema's id in 4 bytes (big endian), what the format adds, the value.
 *
 * Protobuf adds which message of the schema it is: the indexes that lead there, of top-level messages, then of those inside,
 * as a list of zigzag varints, its length first; [0], the most common, is one byte 0. In
 *
 *     message A {}  message B { message C {}  message D {} }
 *
 * D is [1, 1], written 04 02 02; A is 00; B is 02 02.
 */
import { DhaaraError } from '../../errors/index.ts'

export const headerBytes = 5

/** @throws DhaaraError DHAARA_DESERIALIZE */
export function idAt(bytes: Buffer, start: number, end: number, topic: string): number {
  if (end - start >= headerBytes && bytes[start] === 0) return bytes.readInt32BE(start + 1)
  const first = bytes.subarray(start, Math.min(end, start + headerBytes)).toString('hex')
  const found = end === start ? 'no bytes' : `${end - start} bytes (${first}…)`
  throw new DhaaraError(
    'DHAARA_DESERIALIZE',
    `${topic} has ${found}; expected the byte 0 and 4 bytes of a schema's id: this was not written through a schema registry`,
  )
}

export function header(id: number, rest: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(headerBytes + rest.length)
  bytes.writeInt32BE(id, 1)
  bytes.set(rest, headerBytes)
  return bytes
}

export function encodeIndexes(indexes: readonly number[]): Buffer {
  if (indexes.length === 1 && indexes[0] === 0) return Buffer.of(0)
  return Buffer.from([indexes.length, ...indexes].flatMap((n) => varint(n * 2)))
}

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}

/** @returns the indexes, and where the value begins @throws DhaaraError DHAARA_DESERIALIZE */
export function readIndexes(bytes: Buffer, start: number, end: number, topic: string): readonly [number[], number] {
  let at = start
  const next = (): number => {
    let value = 0
    for (let shift = 0; shift < 32; shift += 7) {
      if (at >= end) break
      const byte = bytes[at++] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new DhaaraError('DHAARA_DESERIALIZE', `${topic} has no list of message indexes behind the schema's id`)
  }
  const count = next()
  if (count < 0 || count > end - start) {
    const message = `${topic} says that ${count} message indexes follow, in ${end - start} bytes`
    throw new DhaaraError('DHAARA_DESERIALIZE', message)
  }
  if (count === 0) return [[0], at]
  return [Array.from({ length: count }, next), at]
}
