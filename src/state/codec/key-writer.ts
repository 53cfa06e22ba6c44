import { types } from 'node:util'
import { DhaaraError } from '../../errors/index.ts'
import * as tag from './key-tags.ts'
import { writeBytes, writeEscaped, writeText } from './key-text.ts'

const double = new Float64Array(1)
const halves = new Uint32Array(double.buffer)

/** Longest view that is kept. */
const mostViews = 128

/** 8 bytes whose order is that of the numbers. */
export function writeOrderedDouble(buf: Buffer, offset: number, value: number): number {
  double[0] = value + 0 // -0 + 0 is 0
  let high = halves[1] as number
  let low = halves[0] as number
  if (high >= 0x80000000) {
    high = ~high
    low = ~low
  } else high ^= 0x80000000
  buf[offset] = high >>> 24
  buf[offset + 1] = high >>> 16
  buf[offset + 2] = high >>> 8
  buf[offset + 3] = high
  buf[offset + 4] = low >>> 24
  buf[offset + 5] = low >>> 16
  buf[offset + 6] = low >>> 8
  buf[offset + 7] = low
  return offset + 8
}

/**
 * Writes keys one after the other into a buffer that grows: reset it and use it again. Everything that is written orders by its
 * parts from the first to the last. `view` is valid until the next `reset`.
 */
export class KeyWriter {
  buf: Buffer
  pos = 0
  /** Views of the buffer's first bytes, by length: making one costs more than writing a key. */
  #views: (Buffer | undefined)[] = []

  constructor(size = 256) {
    this.buf = Buffer.allocUnsafeSlow(size)
  }

  reset(): this {
    this.pos = 0
    return this
  }

  /** What was written, in the writer's own buffer. */
  view(): Buffer {
    const { pos } = this
    if (pos > mostViews) return this.buf.subarray(0, pos)
    return (this.#views[pos] ??= this.buf.subarray(0, pos))
  }

  /** What was written, copied. */
  copy(): Buffer {
    const out = Buffer.allocUnsafe(this.pos)
    this.buf.copy(out, 0, 0, this.pos)
    return out
  }

  /** @throws DhaaraError DHAARA_SERIALIZE for what is no key: NaN, an invalid Date, null, undefined, functions, Map, ... */
  key(value: unknown): this {
    if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number') this.#number(tag.tagNumber, value)
    else this.#other(value, 0, false)
    return this
  }

  /** The elements of a tuple without its end mark: what all its continuations start with. */
  tuplePrefix(parts: readonly unknown[]): this {
    this.byte(tag.tagTuple)
    for (const part of parts) this.#any(part, 1)
    return this
  }

  /** A string without its end mark: what all strings that start with it start with. */
  textPrefix(text: string): this {
    this.#room(1 + 3 * text.length)
    this.buf[this.pos] = tag.tagString
    this.pos = writeEscaped(this.buf, this.pos + 1, text)
    return this
  }

  byte(value: number): this {
    this.#room(1)
    this.buf[this.pos++] = value
    return this
  }

  uint32(value: number): this {
    this.#room(4)
    this.pos = this.buf.writeUInt32BE(value, this.pos)
    return this
  }

  /** A time, without a tag: 8 bytes, as whole milliseconds that are not negative. */
  time(at: number): this {
    const high = Math.floor(at / 4294967296)
    return this.uint32(high).uint32(at - high * 4294967296)
  }

  /** A number without a tag: 8 bytes. */
  double(value: number): this {
    this.#room(8)
    this.pos = writeOrderedDouble(this.buf, this.pos, value)
    return this
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): this {
    const { length } = bytes
    this.#room(length)
    const { buf, pos } = this
    // one by one is faster than the call, for prefixes
    if (length < 16) for (let i = 0; i < length; i++) buf[pos + i] = bytes[i] as number
    else buf.set(bytes, pos)
    this.pos = pos + length
    return this
  }

  /** Bytes as a key. */
  bytes(value: Uint8Array): this {
    this.#room(2 + 2 * value.length)
    this.buf[this.pos] = tag.tagBytes
    this.pos = writeBytes(this.buf, this.pos + 1, value)
    return this
  }

  #any(value: unknown, depth: number): void {
    if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number') this.#number(tag.tagNumber, value)
    else this.#other(value, depth, true)
  }

  #text(value: string): void {
    this.#room(2 + 3 * value.length)
    this.buf[this.pos] = tag.tagString
    this.pos = writeText(this.buf, this.pos + 1, value)
  }

  #number(of: number, value: number): void {
    if (value !== value) throw refused(of === tag.tagDate ? 'an invalid Date' : 'NaN')
    this.#room(9)
    this.buf[this.pos] = of
    this.pos = writeOrderedDouble(this.buf, this.pos + 1, value)
  }

  #other(value: unknown, depth: number, nullable: boolean): void {
    if (typeof value === 'boolean') this.byte(value ? tag.tagTrue : tag.tagFalse)
    else if (typeof value === 'bigint') this.#bigint(value)
    else if (value === null && nullable) this.byte(tag.tagNull)
    else if (typeof value !== 'object' || value === null) throw refused(value === null ? 'null' : typeof value)
    else if (depth > tag.deepest) throw refused(`something nested deeper than ${tag.deepest}`)
    else if (Array.isArray(value)) {
      this.byte(tag.tagTuple)
      for (let i = 0; i < value.length; i++) this.#any(value[i], depth + 1)
      this.byte(tag.tagEnd)
    } else if (types.isDate(value)) this.#number(tag.tagDate, value.getTime())
    else if (value instanceof Uint8Array) this.bytes(value)
    else this.#object(value as Readonly<Record<string, unknown>>, depth)
  }

  #object(value: Readonly<Record<string, unknown>>, depth: number): void {
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw refused(`a ${value.constructor?.name}`)
    this.byte(tag.tagObject)
    for (const name of Object.keys(value).sort()) {
      if (value[name] === undefined) continue
      this.#text(name)
      this.#any(value[name], depth + 1)
    }
    this.byte(tag.tagEnd)
  }

  #bigint(value: bigint): void {
    const negative = value < 0n
    let hex = (negative ? -value : value).toString(16)
    if (hex === '0') hex = ''
    if (hex.length % 2 === 1) hex = `0${hex}`
    const magnitude = Buffer.from(hex, 'hex')
    this.#room(6 + magnitude.length)
    const start = this.pos + 1
    this.byte(negative ? tag.tagNegativeBigint : tag.tagBigint)
    if (magnitude.length < 255) this.byte(magnitude.length)
    else this.byte(255).uint32(magnitude.length)
    this.raw(magnitude)
    if (negative) for (let i = start; i < this.pos; i++) this.buf[i] = ~(this.buf[i] as number)
  }

  #room(bytes: number): void {
    if (this.pos + bytes <= this.buf.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.buf.length, this.pos + bytes))
    this.buf.copy(larger, 0, 0, this.pos)
    this.buf = larger
    this.#views = []
  }
}

function refused(what: string): DhaaraError {
  return new DhaaraError(
    'DHAARA_SERIALIZE',
    `A key is ${what}; keys are strings, numbers, bigints, booleans, Dates, arrays of these, or plain objects`,
  )
}
