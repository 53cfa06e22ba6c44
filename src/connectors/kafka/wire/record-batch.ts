import { crc32c } from '@node-rs/crc32'
import type { FetchedBatch, RecordHeaders } from '../../broker/log.ts'
import type { SpareMemory } from '../../broker/spare-memory.ts'
import { at, attribute, batchHead } from './batch-layout.ts'
import { type Codec, codecs, compress } from './compression.ts'
import { writeLong } from './writer.ts'

/** Records by column, as `FetchedBatch` has them. */
export type Rows = Pick<
  FetchedBatch,
  'count' | 'data' | 'keyStart' | 'keyEnd' | 'valueStart' | 'valueEnd' | 'timestamps' | 'headers'
>

export interface Writing {
  readonly transactional: boolean
  readonly codec: Codec
}

/** Length, attributes, three numbers, two lengths and a count of headers: more is not needed beside the bytes themselves. */
const mostOverhead = 32

/**
 * How many rows from `from` on go into one batch of about `maxBytes`; one at least.
 * @returns the end, exclusive
 */
export function batchEnd(rows: Rows, from: number, maxBytes: number): number {
  let bytes = batchHead
  for (let i = from; i < rows.count; i++) {
    bytes += rowBytes(rows, i)
    if (bytes > maxBytes && i > from) return i
  }
  return rows.count
}

/**
 * Encodes rows [from, to) as one batch. Producer, sequence number and checksum are still to be written: `setProducer`.
 * @param spare where a batch that is not packed gets its memory, of which all is its own; default: new
 */
export function encodeBatch(rows: Rows, from: number, to: number, writing: Writing, spare?: SpareMemory): Buffer {
  let room = batchHead
  for (let i = from; i < to; i++) room += rowBytes(rows, i)
  const plain = spare === undefined ? Buffer.allocUnsafe(room) : Buffer.from(spare.take(room), 0, room)
  const { timestamps } = rows
  const first = timestamps[from] as number
  let most = first
  let end = batchHead
  for (let i = from; i < to; i++) {
    const timestamp = timestamps[i] as number
    if (timestamp > most) most = timestamp
    end = writeRecord(plain, end, rows, i, timestamp - first, i - from)
  }
  let batch = plain.subarray(0, end)
  if (writing.codec !== 'none') {
    const body = compress(writing.codec, plain.subarray(batchHead, end))
    batch = Buffer.allocUnsafe(batchHead + body.length)
    body.copy(batch, batchHead)
    spare?.give(plain.buffer as ArrayBuffer)
  }
  writeLong(batch, 0, 0)
  batch.writeInt32BE(batch.length - 12, at.length)
  batch.writeInt32BE(-1, 12)
  batch[at.magic] = 2
  const flags = codecs.indexOf(writing.codec) | (writing.transactional ? attribute.transactional : 0)
  batch.writeInt16BE(flags, at.attributes)
  batch.writeInt32BE(to - from - 1, at.lastDelta)
  writeLong(batch, first, at.baseTimestamp)
  writeLong(batch, most, at.maxTimestamp)
  batch.writeInt32BE(to - from, at.count)
  return batch
}

/** Written when a batch is sent: with them the broker tells a repetition from a new batch. -1: no producer. */
export function setProducer(batch: Buffer, producerId: number, epoch: number, sequence: number): void {
  writeLong(batch, producerId, at.producerId)
  batch.writeInt16BE(epoch, at.producerEpoch)
  batch.writeInt32BE(sequence, at.sequence)
  batch.writeUInt32BE(crc32c(batch.subarray(at.attributes)), at.crc)
}

export const batchCount = (batch: Buffer): number => batch.readInt32BE(at.count)

function rowBytes({ keyStart, keyEnd, valueStart, valueEnd, headers }: Rows, i: number): number {
  const key = (keyEnd[i] as number) - (keyStart[i] as number)
  const value = (valueEnd[i] as number) - (valueStart[i] as number)
  let bytes = key + value + mostOverhead
  const own = headers?.[i]
  if (own !== undefined) for (const [name, content] of own) bytes += Buffer.byteLength(name) + content.length + 10
  return bytes
}

function writeRecord(to: Buffer, begin: number, rows: Rows, i: number, timeDelta: number, delta: number): number {
  const { data, keyStart, keyEnd, valueStart, valueEnd } = rows
  const key = keyStart[i] as number
  const keyBytes = key < 0 ? -1 : (keyEnd[i] as number) - key
  const value = valueStart[i] as number
  const valueBytes = value < 0 ? -1 : (valueEnd[i] as number) - value
  const headers = rows.headers?.[i]
  const length =
    1 +
    longSize(timeDelta) +
    intSize(delta) +
    intSize(keyBytes) +
    Math.max(0, keyBytes) +
    intSize(valueBytes) +
    Math.max(0, valueBytes) +
    (headers === undefined ? 1 : headersSize(headers))
  let end = writeInt(to, begin, length)
  to[end++] = 0
  end = writeVarlong(to, end, timeDelta)
  end = writeInt(to, end, delta)
  end = writeInt(to, end, keyBytes)
  if (keyBytes > 0) end = copy(data, key, keyBytes, to, end)
  end = writeInt(to, end, valueBytes)
  if (valueBytes > 0) end = copy(data, value, valueBytes, to, end)
  if (headers === undefined) {
    to[end] = 0
    return end + 1
  }
  return writeHeaders(to, end, headers)
}

/** A call into the runtime costs more than copying a few bytes. */
function copy(data: Buffer, from: number, bytes: number, to: Buffer, at: number): number {
  if (bytes > 24) data.copy(to, at, from, from + bytes)
  else for (let i = 0; i < bytes; i++) to[at + i] = data[from + i] as number
  return at + bytes
}

function headersSize(headers: RecordHeaders): number {
  let bytes = intSize(headers.length)
  for (const [name, value] of headers) {
    const nameBytes = Buffer.byteLength(name)
    bytes += intSize(nameBytes) + nameBytes + intSize(value.length) + value.length
  }
  return bytes
}

function writeHeaders(to: Buffer, at: number, headers: RecordHeaders): number {
  let end = writeInt(to, at, headers.length)
  for (const [name, value] of headers) {
    end = writeInt(to, end, Buffer.byteLength(name))
    end += to.write(name, end)
    end = writeInt(to, end, value.length)
    to.set(value, end)
    end += value.length
  }
  return end
}

function intSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x200000 ? 3 : zigzag < 0x10000000 ? 4 : 5
}

function writeInt(to: Buffer, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  while (rest > 0x7f) {
    to[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  to[at] = rest
  return at + 1
}

const isInt = (value: number): boolean => value === (value | 0)

function longSize(value: number): number {
  if (isInt(value)) return intSize(value)
  let bytes = 1
  for (let rest = value < 0 ? -2 * value - 1 : 2 * value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

function writeVarlong(to: Buffer, at: number, value: number): number {
  if (isInt(value)) return writeInt(to, at, value)
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) to[at++] = (rest % 128) | 0x80
  to[at] = rest
  return at + 1
}
