import { DhaaraError } from '../../errors/index.ts'
import { asBuffer } from './bytes.ts'
import { ValueReader } from './value-reader.ts'
import { ValueWriter } from './value-writer.ts'

const writer = new ValueWriter()
const none = Buffer.alloc(0)
const reader = new ValueReader(none)
let reading = false

/**
 * The bytes of a value, complete in themselves. Layout: value-types.ts.
 *
 * What comes back equal: strings, all numbers, bigints, booleans, null, undefined (also as a property), Dates, plain objects,
 * arrays, Map, Set, typed arrays, ArrayBuffer.
 * What comes back changed: an instance of a class as a plain object of its own enumerable properties, a Buffer as Uint8Array, a
 * hole in an array as undefined, an object that was reached twice as two; properties named by symbols are not kept.
 *
 * @throws DhaaraError DHAARA_SERIALIZE for functions, symbols, cycles, and other built-in objects (RegExp, Error, Temporal, ...)
 */
export function encodeValue(value: unknown): Buffer {
  return writer.reset().value(value).copy()
}

/** Writes a value at `offset`. Gives where it ends, or -1 if it needs more room: then grow the buffer and call again. */
export function encodeValueInto(buf: Buffer, offset: number, value: unknown): number {
  const { pos, buf: bytes } = writer.reset().value(value)
  if (offset + pos > buf.length) return -1
  bytes.copy(buf, offset, 0, pos)
  return offset + pos
}

/** The value in [start, end). @throws DhaaraError DHAARA_DESERIALIZE for malformed bytes and for bytes after the value */
export function decodeValue(bytes: Uint8Array, start = 0, end = bytes.length): unknown {
  // One reader serves all but the calls made while it is reading.
  if (reading) return whole(new ValueReader(bytes, start, end))
  reading = true
  try {
    return whole(reader.on(asBuffer(bytes), start, end))
  } finally {
    reading = false
    reader.on(none, 0, 0)
  }
}

/** 8 bytes of a timestamp (big-endian double), then the value. */
export function packStamped(value: unknown, timestamp: number): Buffer {
  return writer.reset().double(timestamp).value(value).copy()
}

/** As `packStamped`; valid until the next value is encoded. */
export function viewStamped(value: unknown, timestamp: number): Buffer {
  return writer.reset().double(timestamp).value(value).view()
}

/** The value of what `packStamped` wrote. */
export function unpackStamped(bytes: Uint8Array): unknown {
  return decodeValue(bytes, 8)
}

function whole(reader: ValueReader): unknown {
  const value = reader.value()
  if (reader.done) return value
  throw new DhaaraError('DHAARA_DESERIALIZE', `A value ends at byte ${reader.pos} and more follows; expected its end`)
}
