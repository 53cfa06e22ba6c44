import { asBuffer } from './bytes.ts'
import * as tag from './key-tags.ts'
import { endOfText, malformed, readBytes, readText } from './key-text.ts'

const double = new Float64Array(1)
const halves = new Uint32Array(double.buffer)

/** What `writeOrderedDouble` wrote. */
export function readOrderedDouble(buf: Uint8Array, at: number): number {
  if (at + 8 > buf.length) throw malformed(buf, at, '8 bytes of a number')
  const word = (i: number): number =>
    ((buf[i] as number) << 24) | ((buf[i + 1] as number) << 16) | ((buf[i + 2] as number) << 8) | (buf[i + 3] as number)
  const high = word(at)
  const low = word(at + 4)
  halves[1] = high < 0 ? high ^ 0x80000000 : ~high
  halves[0] = high < 0 ? low : ~low
  return double[0] as number
}

/** Reads keys one after the other; `pos` stands after the last one. */
export class KeyReader {
  readonly buf: Buffer
  pos: number

  constructor(bytes: Uint8Array, pos = 0) {
    this.buf = asBuffer(bytes)
    this.pos = pos
  }

  /** @throws DhaaraError DHAARA_DESERIALIZE, with what was found and expected. */
  key(): unknown {
    return this.#any(0)
  }

  #any(depth: number): unknown {
    const found = this.buf[this.pos++]
    switch (found) {
      case tag.tagString:
        return this.#text()
      case tag.tagNumber:
        return this.#double()
      case tag.tagTuple:
        return this.#tuple(depth)
      case tag.tagFalse:
        return false
      case tag.tagTrue:
        return true
      case tag.tagDate:
        return new Date(this.#double())
      case tag.tagBigint:
        return this.#bigint(0)
      case tag.tagNegativeBigint:
        return -this.#bigint(0xff)
      case tag.tagBytes: {
        const from = this.pos
        return readBytes(this.buf, from, this.#textEnd())
      }
      case tag.tagObject:
        return this.#object(depth)
      case tag.tagNull:
        if (depth > 0) return null
    }
    throw malformed(this.buf, this.pos - 1, 'the tag of a key')
  }

  #text(): string {
    const from = this.pos
    return readText(this.buf, from, this.#textEnd())
  }

  #textEnd(): number {
    const end = endOfText(this.buf, this.pos)
    if (end < 0) throw malformed(this.buf, this.buf.length, 'the end of a string (00)')
    this.pos = end + 1
    return end
  }

  #double(): number {
    const value = readOrderedDouble(this.buf, this.pos)
    this.pos += 8
    return value
  }

  #ended(depth: number): boolean {
    if (depth > tag.deepest) throw malformed(this.buf, this.pos, `a nesting of at most ${tag.deepest}`)
    if (this.pos >= this.buf.length) throw malformed(this.buf, this.pos, 'the end of a tuple (00)')
    if (this.buf[this.pos] !== tag.tagEnd) return false
    this.pos++
    return true
  }

  #tuple(depth: number): unknown[] {
    const parts: unknown[] = []
    while (!this.#ended(depth)) parts.push(this.#any(depth + 1))
    return parts
  }

  #object(depth: number): object {
    const value: Record<string, unknown> = {}
    let [count, first, last] = [0, '', '']
    while (!this.#ended(depth)) {
      if (this.buf[this.pos++] !== tag.tagString) throw malformed(this.buf, this.pos - 1, 'the name of a property')
      const name = this.#text()
      const part = this.#any(depth + 1)
      if (name === '__proto__') {
        Object.defineProperty(value, name, { value: part, enumerable: true, writable: true, configurable: true })
      } else value[name] = part
      if (count++ === 0) first = name
      last = name
    }
    // a window, as windows are made: its JSON is not to depend on whether the key was read or is the one that came
    if (count === 2 && first === 'end' && last === 'start') return { start: value['start'], end: value['end'] }
    return value
  }

  #bigint(flip: number): bigint {
    const byte = (): number => (this.buf[this.pos++] ?? flip) ^ flip
    let length = byte()
    if (length === 255) length = ((byte() << 24) | (byte() << 16) | (byte() << 8) | byte()) >>> 0
    if (this.pos + length > this.buf.length) throw malformed(this.buf, this.pos, `${length} bytes of a bigint`)
    const magnitude = Buffer.from(this.buf.subarray(this.pos, this.pos + length))
    if (flip !== 0) for (let i = 0; i < length; i++) magnitude[i] = (magnitude[i] as number) ^ flip
    this.pos += length
    return length === 0 ? 0n : BigInt(`0x${magnitude.toString('hex')}`)
  }
}
