/**
 * The stored form of a run of records. Columns come first, so that reading is two tight loops over numbers and no parsing; the
 * keys and values are used where they lie. All numbers are little-endian.
 *
 *     bytes  0  magic 'DHF1'
 *            4  crc32 of bytes 8 to 64
 *            8  crc32 of everything from byte 64
 *           12  number of records n
 *           16  flags: 1 headers, 2 offsets with gaps
 *           20  bytes of the frame
 *           24  offset of the last record  (float64, as the next three)
 *           32  when it was appended, epoch ms
 *           40  bytes ever appended to the partition, this frame included
 *           48  largest timestamp of a record
 *           56  unused; u32 bytes of the frame before it was compressed
 *           64  timestamps       float64[n]
 *               ends             int32[2n]: of key and value of each record, from the start of the data; ~end for null
 *               gaps             int32[n] if flag 2: last offset - offset
 *               ends of headers  int32[n] if flag 1
 *               data             key, value, key, value ...
 *               headers          u32 length, name, u32 length, value; ... for each record
 *
 * With magic 'DHZ1' a compressed frame lies from byte 64 on (packed-frame.ts), and the checksum at byte 8 is that of these bytes.
 *
 * Bytes 4 to 8 and 24 to 48 are written by `sealFrame` when the log gives the frame its offsets; the rest, and the costly
 * checksum, is ready when the frame leaves the thread that built it.
 */
import { endianness } from 'node:os'
import { crc32 } from 'node:zlib'
import { flagGaps, flagHeaders, frameMagic, headBytes } from './frame-layout.ts'
import type { FetchedBatch, RecordHeaders } from './log.ts'
import { isPacked, unpackFrame } from './packed-frame.ts'

// Typed arrays have the machine's byte order; all platforms with a RocksDB binary are little-endian.
if (endianness() !== 'LE') throw new Error('Frames need a little-endian machine')

export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const frameCount = (frame: Buffer): number => frame.readUInt32LE(12)
export const hasHeaders = (frame: Buffer): boolean => (frame.readUInt32LE(16) & flagHeaders) !== 0
export const frameLastOffset = (frame: Buffer): number => frame.readDoubleLE(24)
export const frameAppendTime = (frame: Buffer): number => frame.readDoubleLE(32)
/** Bytes ever appended to the partition, this frame included. */
export const frameTotalBytes = (frame: Buffer): number => frame.readDoubleLE(40)

/** Writes what only the log knows into a frame. */
export function sealFrame(frame: Buffer, lastOffset: number, appendTime: number, totalBytes: number): void {
  frame.writeDoubleLE(lastOffset, 24)
  frame.writeDoubleLE(appendTime, 32)
  frame.writeDoubleLE(totalBytes, 40)
  frame.writeUInt32LE(crc32(frame.subarray(8, headBytes)), 4)
}

/** What is wrong with the bytes of a stored frame, or undefined. */
export function frameProblem(frame: Buffer): string | undefined {
  const problem = headProblem(frame)
  if (problem !== undefined) return problem
  if (crc32(frame.subarray(8, headBytes)) !== frame.readUInt32LE(4)) return 'the head fails its checksum'
  if (crc32(frame.subarray(headBytes)) !== frame.readUInt32LE(8)) return 'the records fail their checksum'
  return undefined
}

/** Whether bytes look like a frame, without their checksums. */
export function headProblem(frame: Buffer): string | undefined {
  if (frame.length < headBytes) return `a frame of ${frame.length} bytes is shorter than its head`
  if (frame.readUInt32LE(0) !== frameMagic && !isPacked(frame)) return 'the bytes are no frame'
  if (frame.readUInt32LE(20) !== frame.length) {
    return `a frame of ${frame.readUInt32LE(20)} bytes is stored as ${frame.length}`
  }
  return undefined
}

/** What is wrong with where the records of a frame lie, or undefined: for one that somebody else has made. */
export function recordsProblem(frame: Buffer): string | undefined {
  if (isPacked(frame)) return 'the records are compressed'
  const n = frameCount(frame)
  const flags = frame.readUInt32LE(16)
  const columns = n * (16 + (flags & flagGaps ? 4 : 0) + (flags & flagHeaders ? 4 : 0))
  const room = frame.length - headBytes - columns
  if (room < 0) return `a frame of ${frame.length} bytes says that it has ${n} records`
  const { ends, gaps, headerEnds } = columnsOf(frame, n, flags)
  if (gaps !== undefined) return 'the records have gaps between their offsets'
  let end = 0
  for (const next of ends) {
    if (unsign(next) < end) return `a key or a value ends at byte ${unsign(next)}, before it begins at ${end}`
    end = unsign(next)
  }
  let headersEnd = 0
  for (const next of headerEnds ?? []) {
    if (next < headersEnd) return `headers end at byte ${next}, before they begin at ${headersEnd}`
    headersEnd = next
  }
  return end + headersEnd === room ? undefined : `${end + headersEnd} bytes of records are said to be in ${room}`
}

/** Bytes that a record has in the columns of what `readFrames` gives. */
export const columnBytes = 32

/**
 * Decodes frames of one partition, in order, that `frameProblem` found sound, compressed or not: the records from `offset` on.
 * @param memory for the columns: `columnBytes` a record at least; default: new
 */
export function readFrames(
  topic: string,
  partition: number,
  stored: readonly Buffer[],
  offset: number,
  memory?: ArrayBuffer,
): FetchedBatch | undefined {
  const frames = stored.map(unpackFrame)
  const single = frames.length === 1
  let most = 0
  for (const frame of frames) most += frameCount(frame)
  const columns = memory ?? new ArrayBuffer(most * columnBytes)
  const timestamps = new Float64Array(columns, 0, most)
  const offsets = new Float64Array(columns, most * 8, most)
  const keyStart = new Int32Array(columns, most * 16, most)
  const keyEnd = new Int32Array(columns, most * 20, most)
  const valueStart = new Int32Array(columns, most * 24, most)
  const valueEnd = new Int32Array(columns, most * 28, most)
  const data = single ? (frames[0] as Buffer) : Buffer.concat(frames)
  let headers: (RecordHeaders | undefined)[] | undefined
  let count = 0
  let nextOffset = offset
  let shift = 0
  for (const frame of frames) {
    const n = frameCount(frame)
    const last = frameLastOffset(frame)
    const flags = frame.readUInt32LE(16)
    const { times, ends, gaps, headerEnds, dataStart } = columnsOf(frame, n, flags)
    let i = 0
    if (gaps === undefined) i = Math.max(0, offset - (last - n + 1))
    else while (i < n && last - (gaps[i] as number) < offset) i++
    let at = shift + dataStart
    if (i > 0) at += unsign(ends[2 * i - 1] as number)
    for (let to = count, from = i; from < n; from++, to++) {
      const k = ends[2 * from] as number
      const v = ends[2 * from + 1] as number
      if (k < 0) keyStart[to] = keyEnd[to] = -1
      else {
        keyStart[to] = at
        at = keyEnd[to] = shift + dataStart + k
      }
      if (v < 0) valueStart[to] = valueEnd[to] = -1
      else {
        valueStart[to] = at
        at = valueEnd[to] = shift + dataStart + v
      }
      timestamps[to] = times[from] as number
      offsets[to] = gaps === undefined ? last - n + 1 + from : last - (gaps[from] as number)
    }
    if (headerEnds !== undefined) {
      headers ??= new Array<RecordHeaders | undefined>(count).fill(undefined)
      const start = dataStart + (n === 0 ? 0 : unsign(ends[2 * n - 1] as number))
      for (let from = i; from < n; from++) {
        const begin = from === 0 ? 0 : (headerEnds[from - 1] as number)
        headers.push(readHeaders(frame, start + begin, start + (headerEnds[from] as number)))
      }
    } else if (headers !== undefined) for (let from = i; from < n; from++) headers.push(undefined)
    count += Math.max(0, n - i)
    nextOffset = Math.max(nextOffset, last + 1)
    shift += frame.length
  }
  if (count === 0) return undefined
  const batch = {
    topic,
    partition,
    count,
    data,
    keyStart: keyStart.subarray(0, count),
    keyEnd: keyEnd.subarray(0, count),
    valueStart: valueStart.subarray(0, count),
    valueEnd: valueEnd.subarray(0, count),
    timestamps: timestamps.subarray(0, count),
    offsets: offsets.subarray(0, count),
    nextOffset,
  }
  return headers === undefined ? batch : { ...batch, headers }
}

const unsign = (end: number): number => (end < 0 ? ~end : end)

function columnsOf(frame: Buffer, n: number, flags: number) {
  const bytes = n * (16 + (flags & flagGaps ? 4 : 0) + (flags & flagHeaders ? 4 : 0))
  // Views need an aligned start, which the database does not promise.
  const aligned = (frame.byteOffset + headBytes) % 8 === 0
  const buffer = aligned ? frame.buffer : Uint8Array.prototype.slice.call(frame, headBytes, headBytes + bytes).buffer
  let at = aligned ? frame.byteOffset + headBytes : 0
  const times = new Float64Array(buffer, at, n)
  const ends = new Int32Array(buffer, (at += n * 8), 2 * n)
  at += n * 8
  let gaps: Int32Array | undefined
  let headerEnds: Int32Array | undefined
  if (flags & flagGaps) {
    gaps = new Int32Array(buffer, at, n)
    at += n * 4
  }
  if (flags & flagHeaders) headerEnds = new Int32Array(buffer, at, n)
  return { times, ends, gaps, headerEnds, dataStart: headBytes + bytes }
}

function readHeaders(frame: Buffer, start: number, end: number): RecordHeaders | undefined {
  if (start === end) return undefined
  const headers: [string, Uint8Array][] = []
  for (let at = start; at < end; ) {
    const nameEnd = at + 4 + frame.readUInt32LE(at)
    const valueEnd = nameEnd + 4 + frame.readUInt32LE(nameEnd)
    headers.push([frame.toString('utf8', at + 4, nameEnd), frame.subarray(nameEnd + 4, valueEnd)])
    at = valueEnd
  }
  return headers
}
