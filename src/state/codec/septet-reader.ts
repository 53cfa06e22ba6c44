import { DhaaraError } from '../../errors/index.ts'
import { asBuffer } from './bytes.ts'
import * as tags from './septet-types.ts'
import { deepestValue } from './value-types.ts'
import { ValueReader } from './value-reader.ts'

/** Property names, found by their bytes: making a string of them costs more than finding it. */
const names = new Array<string | undefined>(4096)

const double = new Float64Array(1)
/** Lower half first, on machines that are little-endian. */
const halves = new Uint32Array(double.buffer)

/** Reads values in septets one after the other. */
export class SeptetReader {
  #buf: Buffer
  #pos: number
  #end: number
  readonly #others = new ValueReader(Buffer.alloc(0))

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#buf = asBuffer(bytes)
    this.#pos = start
    this.#end = end
  }

  /** Goes on in other bytes. */
  on(buf: Buffer, start: number, end: number): this {
    this.#buf = buf
    this.#pos = start
    this.#end = end
    return this
  }

  get done(): boolean {
    return this.#pos >= this.#end
  }

  get pos(): number {
    return this.#pos
  }

  /** @throws DhaaraError DHAARA_DESERIALIZE, with what was found and expected */
  value(): unknown {
    return this.#any(0)
  }

  #any(depth: number): unknown {
    if (depth > deepestValue + 1) throw this.#malformed(`a nesting of at most ${deepestValue}`)
    const tag = this.#byte()
    if (tag <= tags.mostShortText) return this.#ascii(tag)
    if (tag < tags.tagArray) return this.#properties(tag & 0x0f, depth)
    if (tag < tags.tagNull) return this.#array(tag & 0x0f, depth)
    if (tag >= tags.tagSmall && tag < 0x80) return tag - tags.tagSmall
    switch (tag) {
      case tags.tagNull:
        return null
      case tags.tagUndefined:
        return undefined
      case tags.tagFalse:
        return false
      case tags.tagTrue:
        return true
      case tags.tagWhole2:
        return this.#two()
      case tags.tagWhole4:
        return this.#four()
      case tags.tagWhole5:
        return this.#five()
      case tags.tagWhole7:
        return this.#seven()
      case tags.tagLess2:
        return -1 - this.#two()
      case tags.tagLess5:
        return -1 - this.#five()
      case tags.tagDouble:
        return this.#double(0)
      case tags.tagNegative:
        return this.#double(0x80000000)
      case tags.tagDate:
        return new Date(this.#seven())
      case tags.tagAscii:
        return this.#ascii(this.#byte())
      case tags.tagLongAscii:
        return this.#ascii(this.#five())
      case tags.tagText: {
        const bytes = this.#byte()
        this.#byte()
        return this.#text(bytes)
      }
      case tags.tagLongText: {
        const bytes = this.#five()
        this.#five()
        return this.#text(bytes)
      }
      case tags.tagManyElements:
        return this.#array(this.#five(), depth)
      case tags.tagManyProperties:
        return this.#properties(this.#five(), depth)
      case tags.tagMessagePack:
        return this.#other()
    }
    this.#pos--
    throw this.#malformed('the tag of a value')
  }

  #take(bytes: number): number {
    const at = this.#pos
    if (at + bytes > this.#end) throw this.#malformed(`${bytes} more bytes`)
    this.#pos = at + bytes
    return at
  }

  #byte(): number {
    if (this.#pos >= this.#end) throw this.#malformed('1 more byte')
    return this.#buf[this.#pos++] as number
  }

  #two(): number {
    const at = this.#take(2)
    return septets2(this.#buf, at)
  }

  #four(): number {
    const at = this.#take(4)
    return septets4(this.#buf, at)
  }

  #five(): number {
    const at = this.#take(5)
    return (this.#buf[at] as number) * tags.endOf4 + septets4(this.#buf, at + 1)
  }

  #seven(): number {
    const at = this.#take(7)
    return septets7(this.#buf, at)
  }

  #double(sign: number): number {
    const at = this.#take(9)
    const buf = this.#buf
    const middle = buf[at + 4] as number
    halves[0] = ((middle & 0x0f) << 28) | septets4(buf, at + 5)
    halves[1] = sign | (septets4(buf, at) << 3) | (middle >>> 4)
    return double[0] as number
  }

  #ascii(length: number): string {
    const from = this.#take(length)
    return this.#buf.latin1Slice(from, from + length)
  }

  #text(bytes: number): string {
    const from = this.#take(bytes)
    return this.#buf.utf8Slice(from, from + bytes)
  }

  #name(): unknown {
    const buf = this.#buf
    const length = buf[this.#pos] as number
    if (length > tags.mostShortText || this.#pos + 1 + length > this.#end) return this.#any(0)
    const from = this.#pos + 1
    let hash = length
    for (let i = from; i < from + length; i++) hash = (Math.imul(hash, 31) + (buf[i] as number)) | 0
    const place = (hash ^ (hash >>> 12)) & 4095
    const known = names[place]
    this.#pos = from + length
    if (known !== undefined && known.length === length) {
      let i = 0
      while (i < length && known.charCodeAt(i) === buf[from + i]) i++
      if (i === length) return known
    }
    return (names[place] = buf.latin1Slice(from, from + length))
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
    if (count > this.#end - this.#pos) throw this.#malformed(`${count} elements`)
    const parts: unknown[] = []
    for (let i = 0; i < count; i++) parts.push(this.#any(depth + 1))
    return parts
  }

  #other(): unknown {
    const others = this.#others.on(this.#buf, this.#pos, this.#end)
    const value = others.value()
    this.#pos = others.pos
    return value
  }

  #malformed(expected: string): DhaaraError {
    const near = this.#buf.subarray(this.#pos, Math.min(this.#pos + 8, this.#end)).toString('hex')
    const found = near === '' ? 'nothing more' : near
    return new DhaaraError(
      'DHAARA_DESERIALIZE',
      `A value of ${this.#end} bytes has ${found} at ${this.#pos}; expected ${expected}`,
    )
  }
}

const septets2 = (buf: Uint8Array, at: number): number => ((buf[at] as number) << 7) | (buf[at + 1] as number)

const septets4 = (buf: Uint8Array, at: number): number =>
  ((buf[at] as number) << 21) |
  ((buf[at + 1] as number) << 14) |
  ((buf[at + 2] as number) << 7) |
  (buf[at + 3] as number)

/** A whole number in 7 septets. */
export const septets7 = (buf: Uint8Array, at: number): number =>
  (((buf[at] as number) << 14) | septets2(buf, at + 1)) * tags.endOf4 + septets4(buf, at + 3)
