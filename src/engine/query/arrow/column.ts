import type * as ArrowModule from 'apache-arrow'
import type { DataType } from 'apache-arrow'
import { toJson } from '../to-json.ts'

export type Arrow = typeof ArrowModule
export type Kind = 'number' | 'boolean' | 'text' | 'time' | 'json'

/** Rows of a record batch: a column's memory is a few pages, and a reader has much to do with each. */
export const batchRows = 8192

/** Bytes of texts from which on a column ends its batch. */
const mostBytes = 2 << 20

/** WTF-8 begins a lone surrogate with it, which UTF-8 does not have; and some of Hangul, which the slow way takes. */
const surrogates = 0xed

/**
 * One column of a batch, in the memory that Arrow wants. A cell is written at its row's number; what was written at a row and
 * beyond is forgotten by writing there again. Cells must be written row by row.
 */
export class ColumnBuilder {
  readonly name: string
  readonly kind: Kind
  private readonly valid = new Uint8Array(batchRows / 8)
  private readonly numbers: Float64Array
  private readonly times: BigInt64Array
  /** Halves of them, the lower first, on machines that are little-endian. */
  private readonly halves: Int32Array
  private readonly offsets: Int32Array
  private bytes: Buffer
  private readonly least: number
  private large = false

  constructor(name: string, kind: Kind) {
    this.name = name
    this.kind = kind
    this.numbers = new Float64Array(kind === 'number' ? batchRows : 0)
    this.times = new BigInt64Array(kind === 'time' ? batchRows : 0)
    this.halves = new Int32Array(this.times.buffer)
    const texts = kind === 'text' || kind === 'json'
    this.offsets = new Int32Array(texts ? batchRows + 1 : 0)
    this.least = texts ? 64 * batchRows : kind === 'boolean' ? batchRows / 8 : 0
    this.bytes = Buffer.allocUnsafeSlow(this.least)
  }

  /** It holds so much that the batch should end. */
  get full(): boolean {
    return this.large
  }

  /** Lets go of the memory that large texts took. */
  clear(): void {
    if (!this.large) return
    this.large = false
    this.bytes = Buffer.allocUnsafeSlow(this.least)
  }

  number(row: number, value: number): void {
    this.mark(row, true)
    this.numbers[row] = value
  }

  boolean(row: number, value: boolean): void {
    this.mark(row, true)
    const bit = 1 << (row & 7)
    const byte = this.bytes[row >> 3] as number
    this.bytes[row >> 3] = value ? byte | bit : byte & ~bit
  }

  /** @param ms whole, since the epoch */
  time(row: number, ms: number): void {
    this.mark(row, true)
    this.halves[2 * row] = ms
    this.halves[2 * row + 1] = Math.floor(ms / 2 ** 32)
  }

  missing(row: number): void {
    this.mark(row, false)
    if (this.kind === 'number') this.numbers[row] = 0
    else if (this.kind === 'time') this.times[row] = 0n
    else if (this.offsets.length > 0) this.offsets[row + 1] = this.offsets[row] as number
  }

  /**
   * A text that lies in UTF-8, copied as it lies.
   * @param least bytes below it are no part of a text
   * @returns false: it may be no UTF-8, and nothing was written
   */
  utf8(row: number, from: Uint8Array, start: number, end: number, least: number): boolean {
    const at = this.offsets[row] as number
    const to = at + end - start
    if (to > this.bytes.length) this.grow(to)
    const { bytes } = this
    for (let i = start, k = at; i < end; i++, k++) {
      const byte = from[i] as number
      if (byte < least || byte === surrogates) return false
      bytes[k] = byte
    }
    this.offsets[row + 1] = to
    this.mark(row, true)
    return true
  }

  /**
   * A part of a text.
   * @param least characters below it are no part of one
   * @returns false: it is not as it should be, and nothing was written
   */
  part(row: number, text: string, start: number, end: number, least: number): boolean {
    const at = this.offsets[row] as number
    if (at + 3 * (end - start) > this.bytes.length) this.grow(at + 3 * (end - start))
    const { bytes } = this
    let to = at
    let i = start
    for (; i < end; i++) {
      const unit = text.charCodeAt(i)
      if (unit < least) return false
      if (unit > 0x7f) break
      bytes[to++] = unit
    }
    if (i < end) {
      for (let k = i; k < end; k++) if (text.charCodeAt(k) < least) return false
      to += bytes.write(text.slice(i, end), to)
    }
    this.offsets[row + 1] = to
    this.mark(row, true)
    return true
  }

  /** Any value. @returns false: it is of another kind, and the cell is empty */
  add(row: number, value: unknown): boolean {
    if (value === null || value === undefined) {
      this.missing(row)
      return true
    }
    const { kind } = this
    if (kind === 'json') {
      this.text(row, toJson(value))
      return true
    }
    if (kindOf(value) !== kind) {
      this.missing(row)
      return false
    }
    if (kind === 'number') this.number(row, value as number)
    else if (kind === 'boolean') this.boolean(row, value as boolean)
    else if (kind === 'text') this.text(row, value as string)
    else this.time(row, (value as Date).getTime())
    return true
  }

  /** What was written of the first rows; valid until the next cell is written. */
  data(arrow: Arrow, length: number) {
    let present = 0
    for (let row = 0; row < length; row++) present += ((this.valid[row >> 3] as number) >> (row & 7)) & 1
    const nullCount = length - present
    const nullBitmap = nullCount === 0 ? undefined : this.valid.subarray(0, Math.ceil(length / 8))
    const base = { length, nullCount, nullBitmap }
    switch (this.kind) {
      case 'number':
        return arrow.makeData({ ...base, type: new arrow.Float64(), data: this.numbers.subarray(0, length) })
      case 'time':
        return arrow.makeData({ ...base, type: new arrow.TimestampMillisecond(), data: this.times.subarray(0, length) })
      case 'boolean':
        return arrow.makeData({
          ...base,
          type: new arrow.Bool(),
          data: this.bytes.subarray(0, Math.ceil(length / 8)),
        })
      default: {
        const data = this.bytes.subarray(0, this.offsets[length])
        return arrow.makeData({
          ...base,
          type: new arrow.Utf8(),
          data,
          valueOffsets: this.offsets.subarray(0, length + 1),
        })
      }
    }
  }

  private text(row: number, text: string): void {
    const at = this.offsets[row] as number
    if (at + 3 * text.length > this.bytes.length) this.grow(at + 3 * text.length)
    this.offsets[row + 1] = at + this.bytes.write(text, at)
    this.mark(row, true)
  }

  private grow(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(least, 2 * this.bytes.length))
    this.bytes.copy(larger)
    this.bytes = larger
    this.large = larger.length > mostBytes
  }

  private mark(row: number, there: boolean): void {
    const bit = 1 << (row & 7)
    const byte = this.valid[row >> 3] as number
    this.valid[row >> 3] = there ? byte | bit : byte & ~bit
  }
}

export function kindOf(value: unknown): Kind {
  if (typeof value === 'number' || typeof value === 'boolean') return typeof value as Kind
  if (typeof value === 'string') return 'text'
  return value instanceof Date && !Number.isNaN(value.getTime()) ? 'time' : 'json'
}

export function typeOf(arrow: Arrow, kind: Kind): DataType {
  if (kind === 'number') return new arrow.Float64()
  if (kind === 'boolean') return new arrow.Bool()
  if (kind === 'time') return new arrow.TimestampMillisecond()
  return new arrow.Utf8()
}
