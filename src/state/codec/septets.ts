import { DhaaraError } from '../../errors/index.ts'
import { asBuffer } from './bytes.ts'
import { readDouble } from './doubles.ts'
import { SeptetReader, septets7 } from './septet-reader.ts'
import { septetHead, septetMark } from './septet-types.ts'
import { SeptetWriter } from './septet-writer.ts'
import { packStamped, unpackStamped, viewStamped } from './values.ts'

const writer = new SeptetWriter()
const none = Buffer.alloc(0)
const reader = new SeptetReader(none)

/**
 * A timestamp and a value, in bytes that are a text if all that the value holds is one. Layout: septet-types.ts. What comes back,
 * and how, is as of `encodeValue`.
 *
 * @throws DhaaraError DHAARA_SERIALIZE as that does
 */
export function packSeptets(value: unknown, timestamp: number): Buffer {
  return writer.begin(timestamp) ? writer.value(value).copy() : packStamped(value, timestamp)
}

/** As `packSeptets`; valid until the next value is encoded. */
export function viewSeptets(value: unknown, timestamp: number): Buffer {
  return writer.begin(timestamp) ? writer.value(value).view() : viewStamped(value, timestamp)
}

/**
 * The value of what `packSeptets` or `packStamped` wrote.
 *
 * @throws DhaaraError DHAARA_DESERIALIZE for malformed bytes and for bytes after the value
 */
export function unpackSeptets(bytes: Uint8Array): unknown {
  if (bytes[0] !== septetMark) return unpackStamped(bytes)
  try {
    const value = reader.on(asBuffer(bytes), septetHead, bytes.length).value()
    if (reader.done) return value
    throw new DhaaraError('DHAARA_DESERIALIZE', `A value ends at byte ${reader.pos} and more follows; expected its end`)
  } finally {
    reader.on(none, 0, 0)
  }
}

/** The timestamp that either of them wrote at that place. */
export function readStamp(bytes: Uint8Array, at: number): number {
  return bytes[at] === septetMark ? septets7(bytes, at + 1) : readDouble(bytes, at)
}
