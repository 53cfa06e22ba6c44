/**
 * Steps over JSON in bytes without making anything of it. At what is no JSON, or too deep, it gives up (-1), and whoever asked
 * lets `JSON.parse` decide.
 */
const QUOTE = 0x22
const BACKSLASH = 0x5c
const deepest = 64

/** In what was passed there is a byte above 127: it must be UTF-8, also where it is skipped. @internal */
export const HIGH = 1
/** In a string that was passed there is an escape. @internal */
export const ESCAPE = 2

let marks = 0

/** What was passed since this was last asked: `HIGH`, `ESCAPE`. @internal */
export function takeMarks(): number {
  const found = marks
  marks = 0
  return found
}

/** Index of what is no white space, from `i` on. @internal */
export function skipSpace(b: Uint8Array, i: number, end: number): number {
  while (i < end) {
    const c = b[i] as number
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break
    i++
  }
  return i
}

let words: DataView = new DataView(new ArrayBuffer(0))
let wordsOf: Uint8Array | undefined

/** To be called before strings of a buffer are skipped. @internal */
export function enterBuffer(b: Uint8Array): void {
  if (b === wordsOf) return
  words = new DataView(b.buffer, b.byteOffset, b.byteLength)
  wordsOf = b
}

/** Is one of these four bytes a quote, a backslash, a control character or above 127? */
function hasSpecial(word: number): boolean {
  // x - 1 takes the high bit from a zero alone, ~x leaves it there (Mycroft's test); bytes behind a hit may be hits by carry
  const quote = word ^ 0x22222222
  const backslash = word ^ 0x5c5c5c5c
  const found =
    ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash) | ((word - 0x20202020) & ~word) | word
  return (found & 0x80808080) !== 0
}

/** 0 for what may stand in a string as it is, so that the loop over it has one test a byte. */
const special = Uint8Array.from({ length: 256 }, (_, c) =>
  Number(c < 0x20 || c === QUOTE || c === BACKSLASH || c > 127),
)

/** `i`: after the opening quote; gives the index of the closing one. The buffer has been entered. @internal */
export function skipString(b: Uint8Array, i: number, end: number): number {
  for (;;) {
    while (i + 4 <= end && !hasSpecial(words.getInt32(i, true))) i += 4
    // Past the buffer's end there is nothing, which is not 0 either.
    while (special[b[i] as number] === 0) i++
    if (i >= end) return -1
    const c = b[i] as number
    if (c === QUOTE) return i
    if (c === BACKSLASH) {
      i = skipEscape(b, i + 1, end)
      if (i < 0) return -1
      marks |= ESCAPE
    } else if (c > 127) {
      marks |= HIGH
      i++
    } else return -1
  }
}

/** The same for a name that is to be compared by its bytes: gives up at an escape. @internal */
export function skipName(b: Uint8Array, i: number, end: number): number {
  for (;;) {
    while (special[b[i] as number] === 0) i++
    if (i >= end) return -1
    const c = b[i] as number
    if (c === QUOTE) return i
    if (c < 128) return -1
    marks |= HIGH
    i++
  }
}

/** What stands behind a backslash, besides u and four digits, and what it means; 0: nothing. */
const meanings: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const escapes = Uint8Array.from({ length: 256 }, (_, c) => meanings[String.fromCharCode(c)]?.charCodeAt(0) ?? 0)

const plain = Buffer.allocUnsafeSlow(1024)

/**
 * The text of a string that was passed, of ASCII with escapes: a call of `JSON.parse` costs more than all of it. undefined: it is
 * long, or has an escape by number. @internal
 */
export function unescaped(b: Uint8Array, from: number, to: number): string | undefined {
  if (to - from > plain.length) return undefined
  let length = 0
  for (let i = from; i < to; i++) {
    let c = b[i] as number
    if (c === BACKSLASH) {
      c = escapes[b[++i] as number] as number
      if (c === 0) return undefined
    }
    plain[length++] = c
  }
  return plain.latin1Slice(0, length)
}

/** `i`: after the backslash. */
function skipEscape(b: Uint8Array, i: number, end: number): number {
  if (i >= end) return -1
  if (escapes[b[i] as number] !== 0) return i + 1
  if (b[i] !== 0x75 || i + 5 > end) return -1
  for (let digit = i + 1; digit < i + 5; digit++) if (!isHex(b[digit] as number)) return -1
  return i + 5
}

const isHex = (c: number): boolean => (c - 0x30) >>> 0 < 10 || ((c | 0x20) - 0x61) >>> 0 < 6

/** A number by JSON's grammar; gives the index after it. @internal */
export function skipNumber(b: Uint8Array, i: number, end: number): number {
  if (b[i] === 0x2d) i++
  const first = i
  i = skipDigits(b, i, end)
  if (i === first || (b[first] === 0x30 && i > first + 1)) return -1
  if (i < end && b[i] === 0x2e) {
    const from = ++i
    i = skipDigits(b, i, end)
    if (i === from) return -1
  }
  if (i < end && ((b[i] as number) | 0x20) === 0x65) {
    i++
    if (i < end && (b[i] === 0x2b || b[i] === 0x2d)) i++
    const from = i
    i = skipDigits(b, i, end)
    if (i === from) return -1
  }
  return i
}

function skipDigits(b: Uint8Array, i: number, end: number): number {
  while (i < end && ((b[i] as number) - 0x30) >>> 0 < 10) i++
  return i
}

/** Any value; gives the index after it. @internal */
export function skipValue(b: Uint8Array, i: number, end: number, depth = 0): number {
  switch (b[i]) {
    case QUOTE: {
      const close = skipString(b, i + 1, end)
      return close < 0 ? -1 : close + 1
    }
    case 0x7b:
      return skipMembers(b, i + 1, end, depth, 0x7d)
    case 0x5b:
      return skipMembers(b, i + 1, end, depth, 0x5d)
    case 0x74:
      return skipWord(b, i, end, 'true')
    case 0x66:
      return skipWord(b, i, end, 'false')
    case 0x6e:
      return skipWord(b, i, end, 'null')
    default:
      return skipNumber(b, i, end)
  }
}

/** What is between the brackets of an object or an array, and the closing one. */
function skipMembers(b: Uint8Array, i: number, end: number, depth: number, closing: number): number {
  if (depth === deepest) return -1
  i = skipSpace(b, i, end)
  if (b[i] === closing) return i + 1
  for (;;) {
    if (closing === 0x7d) {
      if (b[i] !== QUOTE) return -1
      i = skipString(b, i + 1, end)
      if (i < 0) return -1
      i = skipSpace(b, i + 1, end)
      if (b[i] !== 0x3a) return -1
      i = skipSpace(b, i + 1, end)
    }
    i = skipValue(b, i, end, depth + 1)
    if (i < 0) return -1
    i = skipSpace(b, i, end)
    if (b[i] === closing) return i + 1
    if (b[i] !== 0x2c) return -1
    i = skipSpace(b, i + 1, end)
  }
}

/** @internal */
export function skipWord(b: Uint8Array, i: number, end: number, word: string): number {
  if (i + word.length > end) return -1
  for (let at = 0; at < word.length; at++) if (b[i + at] !== word.charCodeAt(at)) return -1
  return i + word.length
}
