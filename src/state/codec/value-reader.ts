import { DhaaraError } from '../../errors/index.ts'
import { asBuffer } from './bytes.ts'
import { decodeUtf8 } from './key-text.ts'
import * as ext from './value-types.ts'

/** Property names, found by their bytes: making a string of them costs more than finding it. */
const names = new Array<string | undefined>(4096)
const longestName = 32

/** Reads values one after the other; `pos` stands after the last one. */
export class ValueReader {
  buf: Buffer
  pos: number
  #end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.buf = asBuffer(bytes)
    this.pos = start
    this.#end = end
  }

  /** Goes on in other bytes. */
  on(buf: Buffer, start: number, end: number): this {
    this.buf = buf
    this.pos = start
    this.#end = end
    return this
  }

  get done(): boolean {
    return this.pos >= this.#end
  }

  /** @throws DhaaraError DHAARA_DESERIALIZE, with what was found and expected */
  value(): unknown {
    return this.#any(0)
  }

  #any(depth: number): unknown {
    if (depth > ext.deepestValue) throw this.#malformed(`a nesting of at most ${ext.deepestValue}`)
    const tag = this.#byte()
    if (tag < 0x80) return tag
    if (tag < 0x90) return this.#properties(tag & 0x0f, depth)
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth)
    if (tag < 0xc0) return this.#text(tag & 0x1f)
    if (tag >= 0xe0) return tag - 0x100
    switch (tag) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#bytes(this.#byte())
      case 0xc5:
        return this.#bytes(this.#uint16())
      case 0xc6:
        return this.#bytes(this.#uint32())
      case 0xc7:
        return this.#extension(this.#byte(), depth)
      case 0xc8:
        return this.#extension(this.#uint16(), depth)
      case 0xc9:
        return this.#extension(this.#uint32(), depth)
      case 0xca:
        return this.buf.readFloatBE(this.#take(4))
      case 0xcb:
        return this.buf.readDoubleBE(this.#take(8))
      case 0xcc:
        return this.#byte()
      case 0xcd:
        return this.#uint16()
      case 0xce:
        return this.#uint32()
      case 0xcf:
        return asNumber(this.buf.readBigUInt64BE(this.#take(8)))
      case 0xd0:
        return this.buf.readInt8(this.#take(1))
      case 0xd1:
        return this.buf.readInt16BE(this.#take(2))
      case 0xd2:
        return this.buf.readInt32BE(this.#take(4))
      case 0xd3:
        return asNumber(this.buf.readBigInt64BE(this.#take(8)))
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (tag - 0xd4), depth)
      case 0xd9:
        return this.#text(this.#byte())
      case 0xda:
        return this.#text(this.#uint16())
      case 0xdb:
        return this.#text(this.#uint32())
      case 0xdc:
        return this.#array(this.#uint16(), depth)
      case 0xdd:
        return this.#array(this.#uint32(), depth)
      case 0xde:
        return this.#properties(this.#uint16(), depth)
      case 0xdf:
        return this.#properties(this.#uint32(), depth)
    }
    this.pos--
    throw this.#malformed('the tag of a value')
  }

  #take(bytes: number): number {
    const at = this.pos
    if (at + bytes > this.#end) throw this.#malformed(`${bytes} more bytes`)
    this.pos = at + bytes
    return at
  }

  #byte(): number {
    if (this.pos >= this.#end) throw this.#malformed('1 more byte')
    return this.buf[this.pos++] as number
  }

  #uint16(): number {
    return this.buf.readUInt16BE(this.#take(2))
  }

  #uint32(): number {
    return this.buf.readUInt32BE(this.#take(4))
  }

  #text(length: number): string {
    const from = this.#take(length)
    const { buf } = this
    if (length > longestName) return decodeUtf8(buf.subarray(from, from + length))
    for (let i = from; i < from + length; i++) {
      if ((buf[i] as number) > 0x7f) return decodeUtf8(buf.subarray(from, from + length))
    }
    return buf.latin1Slice(from, from + length)
  }

  #name(): unknown {
    const tag = this.buf[this.pos] as number
    const length = tag & 0x1f
    if ((tag & 0xe0) !== 0xa0 || this.pos + 1 + length > this.#end) return this.#any(0)
    const { buf } = this
    const from = this.pos + 1
    let hash = length
    for (let i = from; i < from + length; i++) hash = (Math.imul(hash, 31) + (buf[i] as number)) | 0
    const place = (hash ^ (hash >>> 12)) & 4095
    const known = names[place]
    if (known !== undefined && known.length === length) {
      let i = 0
      while (i < length && known.charCodeAt(i) === buf[from + i]) i++
      if (i === length) {
        this.pos = from + length
        return known
      }
    }
    this.pos = from
    const name = this.#text(length)
    if (name.length === length) names[place] = name
    return name
  }

  #properties(count: number, depth: number): object {
    const value: Record<string, unknown> = {}
    for (let i = 0; i < count; i++) {
      const name = this.#name()
      const part = this.#any(depth + 1)
      if (name === '__proto__') {
        Object.defineProperty(value, name, { value: part, enumerable: true, writable: true, configurable: true })
      } else value[name as string] = part
    }
    return value
  }

  #array(count: number, depth: number): unknown[] {
    if (count > this.#end - this.pos) throw this.#malformed(`${count} elements`)
    const parts: unknown[] = []
    for (let i = 0; i < count; i++) parts.push(this.#any(depth + 1))
    return parts
  }

  #bytes(length: number): Uint8Array {
    const from = this.#take(length)
    return Uint8Array.prototype.slice.call(new Uint8Array(this.buf.buffer, this.buf.byteOffset + from, length))
  }

  #extension(length: number, depth: number): unknown {
    const type = this.#byte()
    const from = this.#take(length)
    const end = this.pos
    switch (type) {
      case ext.extUndefined:
        return undefined
      case ext.extInvalidDate:
        return new Date(Number.NaN)
      case ext.extTimestamp:
        return this.#date(from, length)
      case ext.extBigint: {
        const magnitude = BigInt(`0x0${this.buf.hexSlice(from + 1, end)}`)
        return this.buf[from] === 1 ? -magnitude : magnitude
      }
      case ext.extMap: {
        const map = new Map<unknown, unknown>()
        for (this.pos = from; this.pos < end; ) {
          const key = this.#any(depth + 1)
          map.set(key, this.#any(depth + 1))
        }
        if (this.pos !== end) break
        return map
      }
      case ext.extSet: {
        const set = new Set<unknown>()
        for (this.pos = from; this.pos < end; ) set.add(this.#any(depth + 1))
        if (this.pos !== end) break
        return set
      }
      case ext.extArray: {
        const place = this.buf[from] as number
        this.pos = from + 1
        const bytes = this.#bytes(length - 1)
        if (place === ext.arrayBufferClass) return bytes.buffer
        const Elements = ext.arrayClasses[place]
        if (Elements !== undefined && bytes.length % Elements.BYTES_PER_ELEMENT === 0)
          return new Elements(bytes.buffer as ArrayBuffer)
      }
    }
    this.pos = from - 1
    throw this.#malformed('a known extension')
  }

  #date(from: number, length: number): Date {
    const { buf } = this
    if (length === 4) return new Date(buf.readUInt32BE(from) * 1000)
    if (length === 8) {
      const high = buf.readUInt32BE(from)
      return new Date(((high & 3) * 2 ** 32 + buf.readUInt32BE(from + 4)) * 1000 + Math.floor((high >>> 2) / 1e6))
    }
    if (length === 12) {
      return new Date(Number(buf.readBigInt64BE(from + 4)) * 1000 + Math.floor(buf.readUInt32BE(from) / 1e6))
    }
    this.pos = from
    throw this.#malformed('a timestamp of 4, 8 or 12 bytes')
  }

  #malformed(expected: string): DhaaraError {
    const near = this.buf.subarray(this.pos, Math.min(this.pos + 8, this.#end)).toString('hex')
    const found = near === '' ? 'nothing more' : near
    return new DhaaraError(
      'DHAARA_DESERIALIZE',
      `MessagePack of ${this.#end} bytes has ${found} at ${this.pos}; expected ${expected}`,
    )
  }
}

const asNumber = (value: bigint): number | bigint =>
  value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : value
