/** Text and bytes of keys: 00 and 01 escaped, ended by 00. Lone surrogates are kept, as three bytes each (WTF-8). */
import { DhaaraError } from '../../errors/index.ts'

/** From this length on the native encoder is faster than the loop. */
const long = 64

/** Needs `3 * text.length + 1` bytes of room. Gives the end. */
export function writeText(buf: Buffer, offset: number, text: string): number {
  const end = writeEscaped(buf, offset, text)
  buf[end] = 0
  return end + 1
}

/** As `writeText`, without the end mark. */
export function writeEscaped(buf: Buffer, offset: number, text: string): number {
  const length = text.length
  if (length >= long) return writeLong(buf, offset, text)
  let at = offset
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 2 || unit > 0x7f) return writeUnits(buf, at, text, i)
    buf[at++] = unit
  }
  return at
}

function writeLong(buf: Buffer, offset: number, text: string): number {
  if (!text.isWellFormed()) return writeUnits(buf, offset, text, 0)
  const end = offset + buf.write(text, offset, 'utf8')
  for (let i = offset; i < end; i++) if ((buf[i] as number) < 2) return writeUnits(buf, offset, text, 0)
  return end
}

function writeUnits(buf: Buffer, offset: number, text: string, from: number): number {
  let at = offset
  for (let i = from; i < text.length; i++) {
    const point = text.codePointAt(i) as number
    if (point < 2) {
      buf[at++] = 1
      buf[at++] = point + 1
    } else if (point < 0x80) {
      buf[at++] = point
    } else if (point < 0x800) {
      buf[at++] = 0xc0 | (point >> 6)
      buf[at++] = 0x80 | (point & 0x3f)
    } else if (point < 0x10000) {
      buf[at++] = 0xe0 | (point >> 12)
      buf[at++] = 0x80 | ((point >> 6) & 0x3f)
      buf[at++] = 0x80 | (point & 0x3f)
    } else {
      i++
      buf[at++] = 0xf0 | (point >> 18)
      buf[at++] = 0x80 | ((point >> 12) & 0x3f)
      buf[at++] = 0x80 | ((point >> 6) & 0x3f)
      buf[at++] = 0x80 | (point & 0x3f)
    }
  }
  return at
}

/** Needs `2 * bytes.length + 1` bytes of room. Gives the end. */
export function writeBytes(buf: Buffer, offset: number, bytes: Uint8Array): number {
  let at = offset
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (byte < 2) {
      buf[at++] = 1
      buf[at++] = byte + 1
    } else buf[at++] = byte
  }
  buf[at] = 0
  return at + 1
}

/** Where the end mark of the text that starts at `offset` is; -1 if there is none. */
export function endOfText(buf: Buffer, offset: number): number {
  return buf.indexOf(0, offset)
}

/** The text in [from, to), which has no end mark. */
export function readText(buf: Buffer, from: number, to: number): string {
  let high = 0
  for (let i = from; i < to; i++) {
    const byte = buf[i] as number
    if (byte === 1) return decodeUtf8(readBytes(buf, from, to))
    high |= byte
  }
  if (high < 0x80) return buf.latin1Slice(from, to)
  return decodeUtf8(buf.subarray(from, to))
}

/** The bytes in [from, to), unescaped, copied. */
export function readBytes(buf: Buffer, from: number, to: number): Buffer {
  const out = Buffer.allocUnsafe(to - from)
  let length = 0
  for (let i = from; i < to; i++) {
    let byte = buf[i] as number
    if (byte === 1) {
      byte = (buf[++i] as number) - 1
      if (i >= to || byte < 0 || byte > 1) throw malformed(buf, i, 'an escape (01 01 or 01 02)')
    }
    out[length++] = byte
  }
  return out.subarray(0, length)
}

/** UTF-8 with lone surrogates. */
export function decodeUtf8(bytes: Buffer): string {
  const text = bytes.utf8Slice()
  // Replaced bytes are lone surrogates, or no text at all.
  return text.includes('\ufffd') ? decodeUnits(bytes) : text
}

function decodeUnits(bytes: Buffer): string {
  let text = ''
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] as number
    const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1
    let point = more === 0 ? first : first & (0x3f >> more)
    for (let k = 1; k <= more; k++) {
      const next = bytes[i + k] ?? 0
      point = (next & 0xc0) === 0x80 ? (point << 6) | (next & 0x3f) : Number.POSITIVE_INFINITY
    }
    if (more < 0 || !(point <= 0x10ffff)) throw malformed(bytes, i, 'UTF-8')
    text += String.fromCodePoint(point)
    i += more + 1
  }
  return text
}

/** Says what stands at `at` and what was expected. */
export function malformed(bytes: Uint8Array, at: number, expected: string): DhaaraError {
  const near = Buffer.from(bytes.subarray(at, at + 8)).toString('hex')
  const found = at < bytes.length ? `${near} at ${at}` : 'nothing more'
  return new DhaaraError('DHAARA_DESERIALIZE', `A key of ${bytes.length} bytes has ${found}; expected ${expected}`)
}
