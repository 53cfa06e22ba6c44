import { DhaaraError } from '../../errors/index.ts'
import {
  compareKeys,
  decodeKey,
  encodeKey,
  hashId,
  hashKey,
  keyId,
  type KeyWriter,
  packStamped,
  packSeptets,
  readStamp,
  sameKey,
  unpackSeptets,
  unpackStamped,
  viewSeptets,
  viewStamped,
} from '../codec/index.ts'

/** How a store turns keys into bytes, and into what a Map can find. */
export interface KeyCodec {
  /** Equal ids, equal keys. */
  id(key: unknown): string | number
  /** 32 bits: equal keys, equal hashes. */
  hash(key: unknown): number
  /** The same bytes; both must have been hashed, which refuses what is no key. */
  same(a: unknown, b: unknown): boolean
  encode(key: unknown): Uint8Array
  /** Appends the same bytes. */
  write(writer: KeyWriter, key: unknown): void
  decode(bytes: Uint8Array): unknown
  /** Keys follow a serde of the user's. */
  readonly serde: object | undefined
  /** The order of the bytes. */
  compare(a: unknown, b: unknown): number
}

/** Values lie as 8 bytes of timestamp (`timestampOf`), then the value. */
export interface ValueCodec {
  encode(value: unknown, ts: number): Uint8Array
  /** The same bytes, valid until the next call; where that is cheaper. */
  view?(value: unknown, ts: number): Uint8Array
  /** Only what follows the timestamp is decoded. */
  decode(bytes: Uint8Array): unknown
  /** Rows are what `packStamped` or `packSeptets` writes, and nothing is made of them but what that says. */
  readonly plain?: boolean
  /** Rows are mostly valid UTF-8. */
  readonly texts?: boolean
}

/** @param at where what a value codec wrote begins */
export function timestampOf(bytes: Uint8Array, at = 0): number {
  const ts = readStamp(bytes, at)
  return ts < 0 && ts !== Number.NEGATIVE_INFINITY ? -ts : ts + 0
}

/** The codec of state that the DSL makes: ordered types in order. */
export const typedKeys: KeyCodec = {
  serde: undefined,
  id: keyId,
  hash: hashKey,
  same: sameKey,
  encode: encodeKey,
  write: (writer, key) => void writer.key(key),
  decode: (bytes) => decodeKey(bytes),
  compare: compareKeys,
}

/** Of stores with a key serde of their own. */
export function serdeKeys(
  serde: { serialize(key: unknown, topic: string): Uint8Array; deserialize(bytes: Uint8Array, topic: string): unknown },
  store: string,
): KeyCodec {
  const encode = (key: unknown) => written(store, 'key', () => serde.serialize(key, store))
  const id = (key: unknown) => {
    if (typeof key === 'string' && key.charCodeAt(0) !== 0) return key
    if (typeof key === 'number') return key === 0 ? 0 : key
    const bytes = encode(key)
    return `\0${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).latin1Slice()}`
  }
  return {
    serde,
    id,
    hash: (key) => hashId(id(key)),
    same: (a, b) => id(a) === id(b),
    encode,
    write: (writer, key) => void writer.raw(encode(key)),
    decode: (bytes) => readBack(store, 'key', () => serde.deserialize(bytes, store)),
    compare: (a, b) => Buffer.compare(encode(a), encode(b)),
  }
}

/** What a user's serde throws, with the store's name: rows are written when no step runs that could be told. */
function written<T>(store: string, what: 'key' | 'value', act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw refused('DHAARA_SERIALIZE', error, `found a ${what} that its serde does not write`, store)
  }
}

function readBack<T>(store: string, what: 'key' | 'value', act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw refused('DHAARA_DESERIALIZE', error, `found a stored ${what} that its serde does not read`, store)
  }
}

function refused(
  code: 'DHAARA_SERIALIZE' | 'DHAARA_DESERIALIZE',
  error: unknown,
  found: string,
  store: string,
): unknown {
  if (error instanceof DhaaraError) return error
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const expected = 'expected one that writes all that is put, and reads what it wrote'
  return new DhaaraError(code, `store '${store}': ${found} (${text}); ${expected}`, { cause: error })
}

/** Of stores whose rows are read by others than their step: in septets. Rows in MessagePack are read too. */
export const septetValues: ValueCodec = {
  encode: packSeptets,
  view: viewSeptets,
  decode: unpackSeptets,
  plain: true,
  texts: true,
}

export const msgpackValues: ValueCodec = { encode: packStamped, view: viewStamped, decode: unpackStamped, plain: true }

/** In the sign of a row's timestamp, which is never negative: the version of its value's serde follows, 2 bytes. */
const VERSIONED = 0x80

interface ValueSerde {
  readonly version?: number
  serialize(value: unknown, topic: string): Uint8Array
  deserialize(bytes: Uint8Array, topic: string): unknown
  migrate?(old: unknown, fromVersion: number): unknown
  /** It writes what `encodeValue` writes. */
  readonly plainValue?: boolean
}

/**
 * Values follow the user's serde. Where that has a version, each row says which it was written with, and one of another is
 * migrated when it is read; it is written anew when it changes.
 */
export function serdeValues(serde: ValueSerde, store: string): ValueCodec {
  const version = serde.version ?? 0
  return {
    plain: version === 0 && serde.plainValue === true,
    encode(value, ts) {
      const bytes = written(store, 'value', () => serde.serialize(value, store))
      const head = version === 0 ? 8 : 10
      const out = Buffer.allocUnsafe(head + bytes.length)
      out.writeDoubleBE(ts, 0)
      if (version > 0) {
        out[0] = (out[0] as number) | VERSIONED
        out.writeUInt16BE(version, 8)
      }
      out.set(bytes, head)
      return out
    },
    decode(bytes) {
      const versioned = ((bytes[0] as number) & VERSIONED) !== 0
      const from = versioned ? ((bytes[8] as number) << 8) | (bytes[9] as number) : 0
      return readBack(store, 'value', () => {
        const value = serde.deserialize(bytes.subarray(versioned ? 10 : 8), store)
        return from === version || serde.migrate === undefined ? value : serde.migrate(value, from)
      })
    },
  }
}
