import {
  compareKeys,
  decodeKey,
  encodeKey,
  keyId,
  type KeyWriter,
  packStamped,
  unpackStamped,
  viewStamped,
} from '../codec/index.ts'

/** How a store turns keys into bytes, and into what a Map can find. */
export interface KeyCodec {
  /** Equal ids, equal keys. */
  id(key: unknown): string | number
  encode(key: unknown): Uint8Array
  /** Appends the same bytes. */
  write(writer: KeyWriter, key: unknown): void
  decode(bytes: Uint8Array): unknown
  /** Keys follow a serde of the user's. */
  readonly serde: object | undefined
  /** The order of the bytes. */
  compare(a: unknown, b: unknown): number
}

/** Values lie as 8 bytes of timestamp (big-endian double), then the value. */
export interface ValueCodec {
  encode(value: unknown, ts: number): Uint8Array
  /** The same bytes, valid until the next call; where that is cheaper. */
  view?(value: unknown, ts: number): Uint8Array
  /** Only what follows the timestamp is decoded. */
  decode(bytes: Uint8Array): unknown
}

export const timestampOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0)

/** The codec of state that the DSL makes: ordered types in order. */
export const typedKeys: KeyCodec = {
  serde: undefined,
  id: keyId,
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
  const encode = (key: unknown) => serde.serialize(key, store)
  const id = (key: unknown) => {
    if (typeof key === 'string' && key.charCodeAt(0) !== 0) return key
    if (typeof key === 'number') return key === 0 ? 0 : key
    const bytes = encode(key)
    return `\0${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).latin1Slice()}`
  }
  return {
    serde,
    id,
    encode,
    write: (writer, key) => void writer.raw(encode(key)),
    decode: (bytes) => serde.deserialize(bytes, store),
    compare: (a, b) => Buffer.compare(encode(a), encode(b)),
  }
}

export const msgpackValues: ValueCodec = { encode: packStamped, view: viewStamped, decode: unpackStamped }

export function serdeValues(
  serde: {
    serialize(value: unknown, topic: string): Uint8Array
    deserialize(bytes: Uint8Array, topic: string): unknown
  },
  store: string,
): ValueCodec {
  const encode = (value: unknown, ts: number) => {
    const bytes = serde.serialize(value, store)
    const out = Buffer.allocUnsafe(8 + bytes.length)
    out.writeDoubleBE(ts, 0)
    out.set(bytes, 8)
    return out
  }
  return {
    encode,
    decode: (bytes) => serde.deserialize(bytes.subarray(8), store),
  }
}
