import { DhaaraError } from '../../errors/index.ts'
import { KeyReader } from './key-reader.ts'
import { tagEnd } from './key-tags.ts'
import { malformed } from './key-text.ts'
import { KeyWriter } from './key-writer.ts'

const scratch = new KeyWriter()

/**
 * The bytes of a key; their order is that of `compareKeys`. Layout: key-tags.ts.
 *
 * @param key a string, number (1 and 1.0, 0 and -0 are one key), bigint, boolean, Date, bytes, an array of keys and nulls, or a
 *   plain object of these (properties that are undefined don't count)
 * @throws DhaaraError DHAARA_SERIALIZE for anything else, NaN and invalid Dates
 */
export function encodeKey(key: unknown): Buffer {
  return scratch.reset().key(key).copy()
}

/** Writes a key at `offset`. Gives where it ends, or -1 if it needs more room: then grow the buffer and call again. */
export function writeKey(buf: Buffer, offset: number, key: unknown): number {
  const { pos, buf: bytes } = scratch.reset().key(key)
  if (offset + pos > buf.length) return -1
  bytes.copy(buf, offset, 0, pos)
  return offset + pos
}

/** The key that starts at `start`; what follows it is not looked at. @throws DhaaraError DHAARA_DESERIALIZE */
export function decodeKey(bytes: Uint8Array, start = 0): unknown {
  return new KeyReader(bytes, start).key()
}

/** Where the key that starts at `start` ends. */
export function skipKey(bytes: Uint8Array, start = 0): number {
  const reader = new KeyReader(bytes, start)
  reader.key()
  return reader.pos
}

/** A key that is alone in its bytes. @throws DhaaraError DHAARA_DESERIALIZE also for bytes after it */
export function decodeWholeKey(bytes: Uint8Array): unknown {
  const reader = new KeyReader(bytes)
  const key = reader.key()
  if (reader.pos < bytes.length) throw malformed(bytes, reader.pos, 'the end of the key')
  return key
}

export interface KeyRange {
  readonly gte: Buffer
  readonly lt: Buffer
}

/**
 * The encoded keys that start with `prefix`: all strings that start with a string, all tuples that start with the parts of a
 * tuple, else the one key that is equal. Strings start with one another by code points: half of a surrogate pair is no start.
 */
export function keyPrefixRange(prefix: unknown): KeyRange {
  scratch.reset()
  if (typeof prefix === 'string') scratch.textPrefix(prefix)
  else if (Array.isArray(prefix)) scratch.tuplePrefix(prefix)
  else scratch.key(prefix)
  const gte = scratch.copy()
  return { gte, lt: afterPrefix(gte) }
}

/** The first bytes after all that start with `prefix`, which has a byte below ff. */
export function afterPrefix(prefix: Uint8Array): Buffer {
  let last = prefix.length - 1
  while (last >= 0 && prefix[last] === 0xff) last--
  if (last < 0) throw new DhaaraError('DHAARA_INTERNAL', 'No bytes come after a prefix of ff only')
  const after = Buffer.from(prefix.subarray(0, last + 1))
  after[last] = (after[last] as number) + 1
  return after
}

/** Parts of a pair that is found by a number are below it. */
const mostPart = 2 ** 26

/**
 * What to find a key by in a Map: two ids are equal if and only if the encoded keys are. Strings and most numbers are their own
 * ids. Pairs [a, b] of whole numbers below 2^26 are -(a * 2^26 + b) - 0.5, which no number's own id is: negative numbers with a
 * fraction are, like all other keys and strings that begin with a zero character, such a character and their bytes.
 *
 * @throws DhaaraError DHAARA_SERIALIZE for what is no key
 */
export function keyId(key: unknown): string | number {
  if (typeof key === 'string' && key.charCodeAt(0) !== 0) return key
  if (typeof key === 'number' && (key >= 0 || Math.floor(key) === key)) return key
  if (Array.isArray(key) && key.length === 2) {
    const a: unknown = key[0]
    const b: unknown = key[1]
    if (isPart(a) && isPart(b)) return -(a * mostPart + b) - 0.5
  }
  scratch.reset().byte(tagEnd).key(key)
  return scratch.buf.latin1Slice(0, scratch.pos)
}

const isPart = (part: unknown): part is number => typeof part === 'number' && part >>> 0 === part && part < mostPart
