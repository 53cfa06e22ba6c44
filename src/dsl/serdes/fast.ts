/**
 * What dhaara's own serdes can do besides, for the engine only: read a value out of a larger buffer without a view on it, give
 * JSON as text. Ask with `isFast`.
 *
 * @internal
 */
import type { KeyWriter } from '../../state/codec/index.ts'
import type { Serde } from './types.ts'

/** @internal */
export interface FastSerde<T> extends Serde<T> {
  /** The value in [start, end). @throws DhaaraError DHAARA_DESERIALIZE, DHAARA_SCHEMA */
  read(buf: Buffer, start: number, end: number, topic: string): T
  /** The bytes are this text in UTF-8; absent if they are no text. @throws DhaaraError DHAARA_SERIALIZE */
  text?(value: T): string
  /** The bytes are JSON, and reading is `JSON.parse`, nothing more. */
  readonly plainJson: boolean
  /** Bytes that were read may be written in the place of the value: they stand for no more and no less. */
  readonly keepsBytes: boolean
  /** What is read may be a view of the bytes that it was read from, which then stay as they are. */
  readonly keepsViews: boolean
  /** Values are ordered keys, as they are: stores encode them with the key codec and not with this serde. */
  readonly typedKey: boolean
}

/** Base of the serdes that dhaara brings. @internal */
export abstract class BuiltInSerde<T> implements FastSerde<T> {
  abstract readonly ordered: boolean
  readonly plainJson: boolean = false
  readonly keepsViews: boolean = false
  readonly typedKey: boolean = false

  get keepsBytes(): boolean {
    return this.plainJson
  }

  abstract serialize(value: T, topic: string): Uint8Array
  abstract read(buf: Buffer, start: number, end: number, topic: string): T

  deserialize(bytes: Uint8Array, topic: string): T {
    const buf = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    return this.read(buf, 0, buf.length, topic)
  }
}

/** Of one type of ordered keys: what a tuple needs to know of its parts. @internal */
export abstract class KeySerde<T> extends BuiltInSerde<T> {
  readonly ordered = true
  override readonly typedKey: boolean = true

  /** Appends the value in the key codec. @throws DhaaraError DHAARA_SERIALIZE */
  abstract writePart(writer: KeyWriter, value: T, topic: string): void
  /** What the key codec read, if it is of this type. */
  abstract fromPart(part: unknown, topic: string): T | undefined
}

/** @internal */
export function isFast<T>(serde: Serde<T>): serde is FastSerde<T> {
  return serde instanceof BuiltInSerde
}
