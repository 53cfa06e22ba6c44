import { writeDouble } from './doubles.ts'
import { types } from 'node:util'
import { DhaaraError } from '../../errors/index.ts'
import * as ext from './value-types.ts'

const long = 48
/** Longest view that is kept. */
const mostViews = 256

/** Writes values into a buffer that grows: reset it and use it again. `view` is valid until the next `reset`. */
export class ValueWriter {
  buf: Buffer
  pos = 0
  /** Views of the buffer's first bytes, by length: making one costs as much as writing a small value. */
  #views: (Buffer | undefined)[] = []

  constructor(size = 4096) {
    this.buf = Buffer.allocUnsafeSlow(size)
  }

  reset(): this {
    this.pos = 0
    return this
  }

  /** What was written since `from`, in the writer's own buffer. */
  view(from = 0): Buffer {
    const { pos } = this
    if (from > 0 || pos > mostViews) return this.buf.subarray(from, pos)
    return (this.#views[pos] ??= this.buf.subarray(0, pos))
  }

  /** What was written, copied. */
  copy(): Buffer {
    const out = Buffer.allocUnsafe(this.pos)
    this.buf.copy(out, 0, 0, this.pos)
    return out
  }

  /** A number without a tag: 8 bytes, big-endian. */
  double(value: number): this {
    this.#room(8)
    this.pos = writeDouble(this.buf, this.pos, value)
    return this
  }

  /** @throws DhaaraError DHAARA_SERIALIZE for functions, symbols, cycles and built-in classes that no type is for */
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
        this.buf[this.pos++] = value ? 0xc3 : 0xc2
        return
      case 'undefined':
        return this.#mark(ext.extUndefined)
      case 'bigint':
        return this.#bigint(value)
      case 'object':
        if (value === null) this.buf[this.pos++] = 0xc0
        else this.#object(value, depth)
        return
      default:
        throw refused(`a ${typeof value}`)
    }
  }

  #number(value: number): void {
    const { buf } = this
    if (value >>> 0 === value && (value !== 0 || Object.is(value, 0))) {
      if (value < 0x80) buf[this.pos++] = value
      else if (value < 0x100) {
        buf[this.pos++] = 0xcc
        buf[this.pos++] = value
      } else if (value < 0x10000) {
        buf[this.pos++] = 0xcd
        buf[this.pos++] = value >>> 8
        buf[this.pos++] = value
      } else this.#word(0xce, value)
    } else if (value >> 0 === value && value !== 0) {
      if (value >= -0x20) buf[this.pos++] = value
      else this.#word(0xd2, value)
    } else {
      buf[this.pos] = 0xcb
      this.pos = writeDouble(buf, this.pos + 1, value)
    }
  }

  /** A tag and 32 bits. */
  #word(tag: number, value: number): void {
    const { buf } = this
    buf[this.pos++] = tag
    buf[this.pos++] = value >>> 24
    buf[this.pos++] = value >>> 16
    buf[this.pos++] = value >>> 8
    buf[this.pos++] = value
  }

  #text(text: string): void {
    const length = text.length
    this.#room(5 + 3 * length)
    if (length >= long) return this.#textBySlice(text, 3 * length)
    const start = this.pos
    const { buf } = this
    let at = start + (length < 0x20 ? 1 : 2)
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) return this.#textBySlice(text, 3 * length)
      buf[at++] = unit
    }
    if (length < 0x20) buf[start] = 0xa0 | length
    else {
      buf[start] = 0xd9
      buf[start + 1] = length
    }
    this.pos = at
  }

  // The header is as long as the most bytes that the text could take need: not the shortest, but valid.
  #textBySlice(text: string, most: number): void {
    const header = most < 0x20 ? 1 : most < 0x100 ? 2 : most < 0x10000 ? 3 : 5
    const { buf, pos } = this
    const length = text.isWellFormed() ? buf.utf8Write(text, pos + header) : writeUnits(buf, pos + header, text)
    if (header === 1) buf[pos] = 0xa0 | length
    else {
      buf[pos] = header === 2 ? 0xd9 : header === 3 ? 0xda : 0xdb
      buf.writeUIntBE(length, pos + 1, header - 1)
    }
    this.pos = pos + header + length
  }

  #object(value: object, depth: number): void {
    if (depth > ext.deepestValue) throw refused(`cyclic, or nested deeper than ${ext.deepestValue}`)
    const { constructor } = value
    if (constructor === Object) this.#properties(value as Readonly<Record<string, unknown>>, depth)
    else if (Array.isArray(value)) this.#array(value, depth)
    else this.#builtIn(value, depth)
  }

  #properties(value: Readonly<Record<string, unknown>>, depth: number): void {
    const names = Object.keys(value)
    this.#count(0x80, 0xde, names.length)
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      this.#room(16)
      this.#text(name)
      this.#any(value[name], depth + 1)
    }
  }

  #array(value: readonly unknown[], depth: number): void {
    this.#count(0x90, 0xdc, value.length)
    for (let i = 0; i < value.length; i++) this.#any(value[i], depth + 1)
  }

  /** The header of an array or a map: below 16, 16 bits, 32 bits. */
  #count(few: number, many: number, count: number): void {
    const { buf } = this
    if (count < 16) buf[this.pos++] = few | count
    else if (count < 0x10000) {
      buf[this.pos++] = many
      buf[this.pos++] = count >>> 8
      buf[this.pos++] = count
    } else this.#word(many + 1, count)
  }

  #builtIn(value: object, depth: number): void {
    if (types.isDate(value)) this.#date(value.getTime())
    else if (types.isMap(value)) {
      const start = this.#extend(ext.extMap)
      for (const [key, entry] of value) {
        this.#any(key, depth + 1)
        this.#any(entry, depth + 1)
      }
      this.#extended(start)
    } else if (types.isSet(value)) {
      const start = this.#extend(ext.extSet)
      for (const entry of value) this.#any(entry, depth + 1)
      this.#extended(start)
    } else if (ArrayBuffer.isView(value)) this.#view(value)
    else if (types.isAnyArrayBuffer(value)) this.#elements(ext.arrayBufferClass, new Uint8Array(value))
    else if (Object.prototype.toString.call(value) === '[object Object]' && !types.isProxy(value)) {
      this.#properties(value as Readonly<Record<string, unknown>>, depth)
    } else throw refused(`a ${value.constructor?.name ?? Object.prototype.toString.call(value)}`)
  }

  #view(value: ArrayBufferView): void {
    if (value instanceof Uint8Array) return this.#bytes(value)
    const place = ext.arrayClasses.findIndex((candidate) => value instanceof candidate)
    if (place < 0) throw refused(`a ${value.constructor.name}`)
    this.#elements(place, new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  }

  #bytes(bytes: Uint8Array): void {
    const { length } = bytes
    this.#room(5 + length)
    if (length < 0x100) {
      this.buf[this.pos++] = 0xc4
      this.buf[this.pos++] = length
    } else this.#word(0xc6, length)
    this.buf.set(bytes, this.pos)
    this.pos += length
  }

  #elements(place: number, bytes: Uint8Array): void {
    const start = this.#extend(ext.extArray)
    this.#room(1 + bytes.length)
    this.buf[this.pos++] = place
    this.buf.set(bytes, this.pos)
    this.pos += bytes.length
    this.#extended(start)
  }

  #date(time: number): void {
    if (Number.isNaN(time)) return this.#mark(ext.extInvalidDate)
    const seconds = Math.floor(time / 1000)
    const nanoseconds = (time - seconds * 1000) * 1e6
    const { buf } = this
    if (seconds >= 0 && seconds < 2 ** 32 && nanoseconds === 0) {
      buf[this.pos++] = 0xd6
      this.#word(ext.extTimestamp, seconds)
    } else if (seconds >= 0 && seconds < 2 ** 34) {
      buf[this.pos++] = 0xd7
      this.#word(ext.extTimestamp, nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
      this.pos = buf.writeUInt32BE(seconds >>> 0, this.pos)
    } else {
      buf[this.pos++] = 0xc7
      buf[this.pos++] = 12
      this.#word(ext.extTimestamp, nanoseconds)
      this.pos = buf.writeBigInt64BE(BigInt(seconds), this.pos)
    }
  }

  #bigint(value: bigint): void {
    const safe = value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
    if (!safe && BigInt.asIntN(64, value) === value) {
      this.buf[this.pos] = 0xd3
      this.pos = this.buf.writeBigInt64BE(value, this.pos + 1)
    } else if (!safe && BigInt.asUintN(64, value) === value) {
      this.buf[this.pos] = 0xcf
      this.pos = this.buf.writeBigUInt64BE(value, this.pos + 1)
    } else {
      let hex = (value < 0n ? -value : value).toString(16)
      if (hex.length % 2 === 1) hex = `0${hex}`
      const start = this.#extend(ext.extBigint)
      this.#room(1 + hex.length / 2)
      this.buf[this.pos++] = value < 0n ? 1 : 0
      this.pos += this.buf.write(hex, this.pos, 'hex')
      this.#extended(start)
    }
  }

  #mark(type: number): void {
    this.buf[this.pos++] = 0xd4
    this.buf[this.pos++] = type
    this.buf[this.pos++] = 0
  }

  /** Begins an extension whose length is not known yet. */
  #extend(type: number): number {
    this.#word(0xc9, 0)
    this.buf[this.pos++] = type
    return this.pos
  }

  #extended(start: number): void {
    this.buf.writeUInt32BE(this.pos - start, start - 5)
  }

  #room(bytes: number): void {
    if (this.pos + bytes <= this.buf.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.buf.length, this.pos + bytes))
    this.buf.copy(larger, 0, 0, this.pos)
    this.buf = larger
    this.#views = []
  }
}

/** UTF-8 that keeps lone surrogates, as three bytes each. */
function writeUnits(buf: Buffer, offset: number, text: string): number {
  let at = offset
  for (const part of text) {
    const point = part.codePointAt(0) as number
    if (point >= 0xd800 && point < 0xe000)
      at = buf.writeUIntBE(0xe08080 | ((point >> 12) << 16) | ((point & 0xfc0) << 2) | (point & 0x3f), at, 3)
    else at += buf.utf8Write(part, at)
  }
  return at - offset
}

function refused(what: string): DhaaraError {
  return new DhaaraError(
    'DHAARA_SERIALIZE',
    `A value is or holds ${what}, which state cannot keep; turn it into plain data, Map, Set, Date, bigint or a typed array`,
  )
}
