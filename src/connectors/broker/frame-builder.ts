import { crc32 } from 'node:zlib'
import { DhaaraError } from '../../errors/index.ts'
import { flagGaps, flagHeaders, frameMagic, headBytes } from './frame-layout.ts'
import type { RecordHeaders } from './log.ts'
import type { SpareMemory } from './spare-memory.ts'

export interface FrameLimits {
  /** Most bytes of key, value and headers of one record; default 64 MiB. */
  readonly maxRecordBytes?: number
  /** `full` is true from here on; default 1 MiB. A frame is what a reader fetches at least. */
  readonly frameBytes?: number
  /** Of the records; default true. false: for frames that nobody stores, which `frameProblem` would find unsound. */
  readonly checksum?: boolean
}

const mebibyte = 1024 * 1024
/** Bytes that are copied one by one. */
const few = 24
/** Positions in a frame are 32-bit. */
const mostBytes = 2 ** 30

/** Collects records of one topic partition in growing buffers that are used again after `finish`: no object a record. */
export class FrameBuilder {
  count = 0
  readonly #maxRecordBytes: number
  readonly #frameBytes: number
  readonly #checksum: boolean
  #timestamps = new Float64Array(64)
  #ends = new Int32Array(128)
  #data = Buffer.allocUnsafeSlow(4096)
  #at = 0
  #shared = Buffer.alloc(0)
  #headerEnds: Int32Array | undefined
  #headerData = Buffer.alloc(0)
  #headerAt = 0
  #maxTimestamp = Number.NEGATIVE_INFINITY

  constructor(limits: FrameLimits = {}) {
    this.#maxRecordBytes = Math.min(limits.maxRecordBytes ?? 64 * mebibyte, mostBytes)
    this.#frameBytes = limits.frameBytes ?? mebibyte
    this.#checksum = limits.checksum ?? true
  }

  /** Bytes of the frame as it stands. */
  get bytes(): number {
    return headBytes + this.count * (this.#headerEnds === undefined ? 16 : 20) + this.#at + this.#headerAt
  }

  /** True when it is time to `finish`. More may be added nevertheless, up to 1 GiB. */
  get full(): boolean {
    return this.#at + this.#headerAt + this.count * 16 >= this.#frameBytes
  }

  /** @throws DhaaraError DHAARA_RECORD_TOO_LARGE, and has added nothing */
  add(key: Uint8Array | null, value: Uint8Array | null, timestamp: number, headers?: RecordHeaders): void {
    const keyBytes = key === null ? 0 : key.length
    const valueBytes = value === null ? 0 : value.length
    this.#check(keyBytes + valueBytes, headers)
    this.#reserve(keyBytes + valueBytes)
    const keyEnd = this.#put(key)
    if (value === null) this.#push(keyEnd, ~this.#at, timestamp, headers)
    else {
      this.#data.set(value, this.#at)
      this.#at += valueBytes
      this.#push(keyEnd, this.#at, timestamp, headers)
    }
  }

  /** Appends text as the value, written straight into the buffer as UTF-8 (for JSON). @throws as `add` */
  addText(key: Uint8Array | string | null, value: string, timestamp: number, headers?: RecordHeaders): void {
    const text = typeof key === 'string'
    const keyBytes = key === null ? 0 : text ? key.length * 3 : key.length
    // A UTF-16 unit has at most 3 bytes; the exact number counts only near the limit.
    let most = keyBytes + value.length * 3
    if (most > this.#maxRecordBytes || headers !== undefined || most > mebibyte) {
      most = (text ? Buffer.byteLength(key) : keyBytes) + Buffer.byteLength(value)
      this.#check(most, headers)
    }
    this.#reserve(most)
    const keyEnd = text ? (this.#at += this.#data.utf8Write(key, this.#at)) : this.#put(key)
    this.#at += this.#data.utf8Write(value, this.#at)
    this.#push(keyEnd, this.#at, timestamp, headers)
  }

  /** Appends bytes [start, end) of another frame as the value. @throws as `add` */
  addSlice(
    key: Uint8Array | string | null,
    data: Buffer,
    start: number,
    end: number,
    timestamp: number,
    headers?: RecordHeaders,
  ): void {
    const text = typeof key === 'string'
    const most = (key === null ? 0 : text ? Buffer.byteLength(key) : key.length) + end - start
    this.#check(most, headers)
    this.#reserve(most)
    const keyEnd = text ? (this.#at += this.#data.utf8Write(key, this.#at)) : this.#put(key)
    this.#at += data.copy(this.#data, this.#at, start, end)
    this.#push(keyEnd, this.#at, timestamp, headers)
  }

  /** Appends a record whose key is `head`, then bytes of `key` from `from` on. @throws as `add` */
  addBehind(head: Uint8Array, key: Uint8Array, from: number, value: Uint8Array | null, timestamp: number): void {
    const bytes = head.length + key.length - from + (value === null ? 0 : value.length)
    this.#check(bytes, undefined)
    this.#reserve(bytes)
    this.#copy(head, 0)
    this.#copy(key, from)
    const keyEnd = this.#at
    if (value !== null) this.#copy(value, 0)
    this.#push(keyEnd, value === null ? ~keyEnd : this.#at, timestamp, undefined)
  }

  /**
   * The frame's bytes in a buffer of their own (it can be transferred to another thread), and an empty builder.
   * `gaps`: how far each record's offset lies before the last one, for runs with holes. `spare`: where its memory comes from.
   */
  finish(gaps?: Int32Array, spare?: SpareMemory): Buffer<ArrayBuffer> {
    const size = this.#size(gaps)
    const frame = spare === undefined ? Buffer.allocUnsafeSlow(size) : Buffer.from(spare.take(size), 0, size)
    return this.#assemble(gaps, frame)
  }

  /**
   * As `finish`, in a buffer of the builder: valid until its next `finishShared`. For a frame that is appended (copied into a
   * write batch) at once: fresh memory for each frame costs more than filling it.
   */
  finishShared(gaps?: Int32Array): Buffer<ArrayBuffer> {
    const size = this.#size(gaps)
    if (this.#shared.length < size) this.#shared = Buffer.allocUnsafeSlow(Math.max(size, this.#shared.length * 2))
    return this.#assemble(gaps, this.#shared.subarray(0, size))
  }

  #size(gaps: Int32Array | undefined): number {
    return this.bytes + (gaps === undefined ? 0 : this.count * 4)
  }

  #assemble(gaps: Int32Array | undefined, frame: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    const n = this.count
    const withHeaders = this.#headerEnds !== undefined
    frame.fill(0, 0, headBytes)
    frame.writeUInt32LE(frameMagic, 0)
    frame.writeUInt32LE(n, 12)
    frame.writeUInt32LE((withHeaders ? flagHeaders : 0) | (gaps === undefined ? 0 : flagGaps), 16)
    frame.writeUInt32LE(frame.length, 20)
    frame.writeDoubleLE(this.#maxTimestamp, 48)
    let at = headBytes
    const column = (numbers: Float64Array | Int32Array, length: number): void => {
      frame.set(new Uint8Array(numbers.buffer, numbers.byteOffset, length * numbers.BYTES_PER_ELEMENT), at)
      at += length * numbers.BYTES_PER_ELEMENT
    }
    column(this.#timestamps, n)
    column(this.#ends, 2 * n)
    if (gaps !== undefined) column(gaps, n)
    if (this.#headerEnds !== undefined) column(this.#headerEnds, n)
    this.#data.copy(frame, at, 0, this.#at)
    this.#headerData.copy(frame, at + this.#at, 0, this.#headerAt)
    if (this.#checksum) frame.writeUInt32LE(crc32(frame.subarray(headBytes)), 8)
    this.clear()
    return frame
  }

  clear(): void {
    this.count = 0
    this.#at = 0
    this.#headerAt = 0
    this.#headerEnds = undefined
    this.#maxTimestamp = Number.NEGATIVE_INFINITY
    // One huge record shall not hold its memory for ever.
    const most = Math.max(mebibyte, 4 * this.#frameBytes)
    if (this.#data.length > most) this.#data = Buffer.allocUnsafeSlow(4096)
    if (this.#shared.length > most) this.#shared = Buffer.alloc(0)
  }

  #put(key: Uint8Array | null): number {
    if (key === null) return ~this.#at
    this.#copy(key, 0)
    return this.#at
  }

  /** A call into the runtime costs more than copying a few bytes. */
  #copy(bytes: Uint8Array, from: number): void {
    const { length } = bytes
    const data = this.#data
    let at = this.#at
    if (length - from > few) {
      data.set(from === 0 ? bytes : bytes.subarray(from), at)
      at += length - from
    } else for (let i = from; i < length; i++) data[at++] = bytes[i] as number
    this.#at = at
  }

  #push(keyEnd: number, valueEnd: number, timestamp: number, headers: RecordHeaders | undefined): void {
    const i = this.count
    if (i === this.#timestamps.length) this.#growColumns()
    this.#timestamps[i] = timestamp
    this.#ends[2 * i] = keyEnd
    this.#ends[2 * i + 1] = valueEnd
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    if (headers !== undefined && headers.length > 0) this.#putHeaders(headers)
    if (this.#headerEnds !== undefined) this.#headerEnds[i] = this.#headerAt
    this.count = i + 1
  }

  #putHeaders(headers: RecordHeaders): void {
    // Fresh, so that the records before this one have empty headers.
    this.#headerEnds ??= new Int32Array(this.#timestamps.length)
    for (const [name, value] of headers) {
      const nameBytes = Buffer.byteLength(name)
      const need = this.#headerAt + 8 + nameBytes + value.length
      if (need > this.#headerData.length) this.#headerData = grown(this.#headerData, this.#headerAt, need)
      const data = this.#headerData
      let at = data.writeUInt32LE(nameBytes, this.#headerAt)
      at += data.write(name, at)
      at = data.writeUInt32LE(value.length, at)
      data.set(value, at)
      this.#headerAt = at + value.length
    }
  }

  #check(bytes: number, headers: RecordHeaders | undefined): void {
    let total = bytes
    if (headers !== undefined) for (const [name, value] of headers) total += 8 + Buffer.byteLength(name) + value.length
    if (total <= this.#maxRecordBytes) return
    throw new DhaaraError(
      'DHAARA_RECORD_TOO_LARGE',
      `A record has ${total} bytes; the limit is ${this.#maxRecordBytes}. Keep large values elsewhere and send a reference`,
    )
  }

  #reserve(bytes: number): void {
    const need = this.#at + bytes
    if (need > mostBytes) {
      throw new DhaaraError('DHAARA_INTERNAL', `A frame of ${need} bytes is too large; it should have been finished`)
    }
    if (need > this.#data.length) this.#data = grown(this.#data, this.#at, need)
  }

  #growColumns(): void {
    const length = this.#timestamps.length * 2
    const timestamps = new Float64Array(length)
    timestamps.set(this.#timestamps)
    this.#timestamps = timestamps
    const ends = new Int32Array(length * 2)
    ends.set(this.#ends)
    this.#ends = ends
    if (this.#headerEnds === undefined) return
    const headerEnds = new Int32Array(length)
    headerEnds.set(this.#headerEnds)
    this.#headerEnds = headerEnds
  }
}

function grown(old: Buffer, used: number, need: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(Math.max(need, old.length * 2, 256))
  old.copy(larger, 0, 0, used)
  return larger
}
