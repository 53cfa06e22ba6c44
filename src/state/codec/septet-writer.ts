import { types } from 'node:util'
import * as tags from './septet-types.ts'
import { deepestValue } from './value-types.ts'
import { ValueWriter } from './value-writer.ts'

/** From this length on the native encoder is faster than the loop. */
const long = 48
/** Longest view that is kept. */
const mostViews = 256

const double = new Float64Array(1)
/** Lower half first, on machines that are little-endian. */
const halves = new Uint32Array(double.buffer)

/** Writes values in septets into a buffer that grows: reset it and use it again. `view` is valid until the next `reset`. */
export class SeptetWriter {
  #buf: Buffer
  #pos = 0
  readonly #others = new ValueWriter()
  /** Views of the buffer's first bytes, by length: making one costs as much as writing a small value. */
  #views: (Buffer | undefined)[] = []

  constructor(size = 4096) {
    this.#buf = Buffer.allocUnsafeSlow(size)
  }

  /** Begins with a timestamp. @returns false: it is not whole or not in [0, 2⁴⁹), and has no place here */
  begin(timestamp: number): boolean {
    if (!(timestamp >= 0 && timestamp < tags.endOf7 && Math.floor(timestamp) === timestamp)) return false
    this.#buf[0] = tags.septetMark
    this.#pos = 1
    this.#seven(timestamp)
    return true
  }

  /** What was written, in the writer's own buffer. */
  view(): Buffer {
    const pos = this.#pos
    if (pos > mostViews) return this.#buf.subarray(0, pos)
    return (this.#views[pos] ??= this.#buf.subarray(0, pos))
  }

  /** What was written, copied. */
  copy(): Buffer {
    const out = Buffer.allocUnsafe(this.#pos)
    this.#buf.copy(out, 0, 0, this.#pos)
    return out
  }

  /** @throws DhaaraError DHAARA_SERIALIZE as `ValueWriter.value` */
  value(value: unknown): this {
    this.#any(value, 0)
    return this
  }

  #any(value: unknown, depth: number): void {
    this.#room(16)
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        return this.#number(value)
      case 'boolean':
        this.#buf[this.#pos++] = value ? tags.tagTrue : tags.tagFalse
        return
      case 'undefined':
        this.#buf[this.#pos++] = tags.tagUndefined
        return
      case 'object':
        if (value === null) this.#buf[this.#pos++] = tags.tagNull
        else this.#object(value, depth)
        return
      default:
        return this.#other(value)
    }
  }

  #number(value: number): void {
    const buf = this.#buf
    if (value >>> 0 === value && (value !== 0 || Object.is(value, 0))) {
      if (value <= tags.mostSmall) buf[this.#pos++] = tags.tagSmall + value
      else if (value < 0x4000) this.#two(tags.tagWhole2, value)
      else if (value < tags.endOf4) {
        buf[this.#pos++] = tags.tagWhole4
        this.#four(value)
      } else this.#five(tags.tagWhole5, value)
    } else if (value >> 0 === value && value !== 0) {
      if (value >= -0x4000) this.#two(tags.tagLess2, ~value)
      else this.#five(tags.tagLess5, ~value)
    } else if (value > 0 && value < tags.endOf7 && Math.floor(value) === value) {
      buf[this.#pos++] = tags.tagWhole7
      this.#seven(value)
    } else this.#double(value)
  }

  #double(value: number): void {
    double[0] = value
    const low = halves[0] as number
    const high = halves[1] as number
    const buf = this.#buf
    let at = this.#pos
    buf[at++] = high >>> 31 === 0 ? tags.tagDouble : tags.tagNegative
    buf[at++] = (high >>> 24) & 0x7f
    buf[at++] = (high >>> 17) & 0x7f
    buf[at++] = (high >>> 10) & 0x7f
    buf[at++] = (high >>> 3) & 0x7f
    buf[at++] = ((high & 7) << 4) | (low >>> 28)
    buf[at++] = (low >>> 21) & 0x7f
    buf[at++] = (low >>> 14) & 0x7f
    buf[at++] = (low >>> 7) & 0x7f
    buf[at++] = low & 0x7f
    this.#pos = at
  }

  #two(tag: number, value: number): void {
    const buf = this.#buf
    buf[this.#pos++] = tag
    buf[this.#pos++] = value >>> 7
    buf[this.#pos++] = value & 0x7f
  }

  #four(value: number): void {
    const buf = this.#buf
    buf[this.#pos++] = value >>> 21
    buf[this.#pos++] = (value >>> 14) & 0x7f
    buf[this.#pos++] = (value >>> 7) & 0x7f
    buf[this.#pos++] = value & 0x7f
  }

  #five(tag: number, value: number): void {
    this.#buf[this.#pos++] = tag
    this.#length(value)
  }

  /** 32 bits. */
  #length(value: number): void {
    this.#buf[this.#pos++] = value >>> 28
    this.#four(value & 0xfffffff)
  }

  #seven(value: number): void {
    const high = Math.floor(value / tags.endOf4)
    const buf = this.#buf
    buf[this.#pos++] = high >>> 14
    buf[this.#pos++] = (high >>> 7) & 0x7f
    buf[this.#pos++] = high & 0x7f
    this.#four(value - high * tags.endOf4)
  }

  #text(text: string): void {
    const length = text.length
    this.#room(16 + 3 * length)
    const start = this.#pos
    const buf = this.#buf
    const short = length <= tags.mostShortText
    if (length >= long) return this.#longText(text)
    let at = start + (short ? 1 : 2)
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) return this.#longText(text)
      buf[at++] = unit
    }
    if (short) buf[start] = length
    else {
      buf[start] = tags.tagAscii
      buf[start + 1] = length
    }
    this.#pos = at
  }

  /** Long, or of more than ASCII. */
  #longText(text: string): void {
    const { length } = text
    const buf = this.#buf
    const start = this.#pos
    const head = length < 0x80 ? 2 : 6
    const bytes = buf.utf8Write(text, start + head)
    if (bytes === length) {
      if (head === 2) {
        buf[this.#pos++] = tags.tagAscii
        buf[this.#pos++] = length
      } else this.#five(tags.tagLongAscii, length)
    } else if (!text.isWellFormed()) return this.#other(text)
    else if (bytes < 0x80) {
      buf.copyWithin(start + 3, start + head, start + head + bytes)
      buf[this.#pos++] = tags.tagText
      buf[this.#pos++] = bytes
      buf[this.#pos++] = length
    } else {
      buf.copyWithin(start + 11, start + head, start + head + bytes)
      this.#five(tags.tagLongText, bytes)
      this.#length(length)
    }
    this.#pos += bytes
  }

  #object(value: object, depth: number): void {
    if (depth <= deepestValue) {
      if (value.constructor === Object) return this.#properties(value as Readonly<Record<string, unknown>>, depth)
      if (Array.isArray(value)) return this.#array(value, depth)
    }
    if (types.isDate(value)) {
      const time = value.getTime()
      if (time >= 0 && time < tags.endOf7) {
        this.#buf[this.#pos++] = tags.tagDate
        return this.#seven(time)
      }
    }
    this.#other(value)
  }

  #properties(value: Readonly<Record<string, unknown>>, depth: number): void {
    const names = Object.keys(value)
    const { length } = names
    if (length <= tags.mostFewProperties) this.#buf[this.#pos++] = tags.tagObject | length
    else this.#five(tags.tagManyProperties, length)
    for (let i = 0; i < length; i++) {
      const name = names[i] as string
      this.#text(name)
      this.#any(value[name], depth + 1)
    }
  }

  #array(value: readonly unknown[], depth: number): void {
    const { length } = value
    if (length <= tags.mostFewElements) this.#buf[this.#pos++] = tags.tagArray | length
    else this.#five(tags.tagManyElements, length)
    for (let i = 0; i < length; i++) this.#any(value[i], depth + 1)
  }

  /** In MessagePack; also what is nested too deep, which that refuses if it is without an end. */
  #other(value: unknown): void {
    const bytes = this.#others.reset().value(value).view()
    this.#room(1 + bytes.length)
    this.#buf[this.#pos++] = tags.tagMessagePack
    this.#buf.set(bytes, this.#pos)
    this.#pos += bytes.length
  }

  #room(bytes: number): void {
    if (this.#pos + bytes <= this.#buf.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#buf.length, this.#pos + bytes))
    this.#buf.copy(larger, 0, 0, this.#pos)
    this.#buf = larger
    this.#views = []
  }
}
