import type { RecordHeaders } from '../../broker/log.ts'
import { attribute } from './batch-layout.ts'

/** Records by column; `FetchedBatch` says what they hold. Has room for as many as `timestamps` has. */
export interface Columns {
  count: number
  readonly timestamps: Float64Array
  readonly offsets: Float64Array
  readonly keyStart: Int32Array
  readonly keyEnd: Int32Array
  readonly valueStart: Int32Array
  readonly valueEnd: Int32Array
  headers: (RecordHeaders | undefined)[] | undefined
}

/** Bytes that a record has in them. */
export const columnBytes = 32

/** @param memory to lie in: `columnBytes` a record at least */
export function newColumns(room: number, memory: ArrayBufferLike = new ArrayBuffer(room * columnBytes)): Columns {
  return {
    count: 0,
    timestamps: new Float64Array(memory, 0, room),
    offsets: new Float64Array(memory, room * 8, room),
    keyStart: new Int32Array(memory, room * 16, room),
    keyEnd: new Int32Array(memory, room * 20, room),
    valueStart: new Int32Array(memory, room * 24, room),
    valueEnd: new Int32Array(memory, room * 28, room),
    headers: undefined,
  }
}

export interface BatchHead {
  readonly base: number
  readonly count: number
  readonly attributes: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
}

/** Where the last varint ended. One reader at a time: decoding is synchronous. */
let cursor = 0

function varint(buf: Uint8Array, from: number): number {
  let byte = buf[from] as number
  if (byte < 0x80) {
    cursor = from + 1
    return (byte >>> 1) ^ -(byte & 1)
  }
  let value = byte & 0x7f
  let at = from + 1
  for (let shift = 7; shift < 35; shift += 7) {
    byte = buf[at++] as number
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      cursor = at
      return (value >>> 1) ^ -(value & 1)
    }
  }
  throw new RangeError(`a number of more than 5 bytes at byte ${from}`)
}

/** Up to 64 bits; exact to 2^53. */
function varlong(buf: Uint8Array, from: number): number {
  let value = 0
  let scale = 1
  let at = from
  for (let i = 0; i < 10; i++, scale *= 128) {
    const byte = buf[at++] as number
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      cursor = at
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }
  throw new RangeError(`a number of more than 10 bytes at byte ${from}`)
}

/**
 * Appends a batch's records from `offset` on to the columns, which must have room.
 * @throws RangeError where lengths and bytes do not fit
 */
export function readRecords(
  buf: Buffer,
  from: number,
  to: number,
  head: BatchHead,
  offset: number,
  columns: Columns,
): void {
  const { timestamps, offsets, keyStart, keyEnd, valueStart, valueEnd } = columns
  const { base, baseTimestamp } = head
  const appendTime = (head.attributes & attribute.appendTime) !== 0
  let n = columns.count
  let at = from
  for (let i = head.count; i > 0; i--) {
    const length = varint(buf, at)
    const end = cursor + length
    if (length < 6 || end > to) throw new RangeError(`a record of ${length} bytes at byte ${at}; ${to - at} are left`)
    // One byte of attributes, which mean nothing.
    const first = buf[cursor + 1] as number
    let timestamp: number
    if (first < 0x80) {
      timestamp = baseTimestamp + ((first >>> 1) ^ -(first & 1))
      cursor += 2
    } else timestamp = baseTimestamp + varlong(buf, cursor + 1)
    const own = base + varint(buf, cursor)
    const keyLength = varint(buf, cursor)
    let kStart = -1
    let kEnd = -1
    if (keyLength >= 0) {
      kStart = cursor
      cursor = kEnd = kStart + keyLength
    }
    const valueLength = varint(buf, cursor)
    let vStart = -1
    let vEnd = -1
    if (valueLength >= 0) {
      vStart = cursor
      cursor = vEnd = vStart + valueLength
    }
    if (cursor >= end) throw new RangeError(`a key of ${keyLength} and a value of ${valueLength} bytes in ${length}`)
    at = end
    if (own < offset) continue
    timestamps[n] = appendTime ? head.maxTimestamp : timestamp
    offsets[n] = own
    keyStart[n] = kStart
    keyEnd[n] = kEnd
    valueStart[n] = vStart
    valueEnd[n] = vEnd
    if (buf[cursor] !== 0) {
      columns.headers ??= new Array<RecordHeaders | undefined>(n).fill(undefined)
      columns.headers.push(readHeaders(buf, end))
    } else if (columns.headers !== undefined) columns.headers.push(undefined)
    n++
  }
  columns.count = n
}

function readHeaders(buf: Buffer, end: number): RecordHeaders {
  const headers: [string, Uint8Array][] = []
  for (let left = varint(buf, cursor); left > 0; left--) {
    const nameLength = varint(buf, cursor)
    const nameStart = cursor
    const valueLength = varint(buf, nameStart + nameLength)
    const valueStart = cursor
    cursor = valueStart + Math.max(0, valueLength)
    if (cursor > end) throw new RangeError(`headers that end at byte ${cursor} in a record that ends at ${end}`)
    headers.push([
      buf.toString('utf8', nameStart, nameStart + nameLength),
      buf.subarray(valueStart, valueStart + Math.max(0, valueLength)),
    ])
  }
  return headers
}
