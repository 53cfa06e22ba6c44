import type { BackendReader } from '../backend.ts'
import type { CacheShare } from './cache-pool.ts'
import type { KeyCodec, ValueCodec } from './codecs.ts'

/** Takes what an epoch changed, as bytes. Buffers may be reused after the call. */
export interface Sealer {
  put(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): void
  /** After the epoch is written: remove [gte, lt). Idempotent, repeated after a crash if need be. */
  clearLater(gte: Uint8Array, lt: Uint8Array): void
}

/**
 * One store of one task in the database: its rows are `prefix + key bytes`. The first byte keeps state apart from the log.
 *
 *     0x02 | store id u16 | partition u16 | …
 */
export interface StoreSpace {
  readonly reader: BackendReader
  readonly prefix: Buffer
  readonly keys: KeyCodec
  readonly values: ValueCodec
  /** Where the store asks how much it may keep decoded: a row's bytes count four times. */
  readonly cache: CacheShare
  /** All rows are read when the store is opened, and stay decoded. */
  readonly pinned?: boolean
}

export const STATE_SPACE = 0x02

export function statePrefix(store: number, partition: number): Buffer {
  const prefix = Buffer.allocUnsafe(5)
  prefix[0] = STATE_SPACE
  prefix.writeUInt16BE(store, 1)
  prefix.writeUInt16BE(partition, 3)
  return prefix
}

/** The first key that does not start with `prefix`. */
export function after(prefix: Uint8Array): Buffer {
  const end = Buffer.from(prefix)
  for (let i = end.length - 1; i >= 0; i--) {
    if (end[i] !== 0xff) {
      end[i] = (end[i] as number) + 1
      return end.subarray(0, i + 1)
    }
  }
  throw new RangeError('a prefix of 0xff bytes has no end')
}

/** Window starts in keys: 8 bytes, big endian, ordered; event times are not negative. */
export function writeTime(buf: Buffer, at: number, offset: number): void {
  const high = Math.floor(at / 4294967296)
  buf.writeUInt32BE(high, offset)
  buf.writeUInt32BE(at - high * 4294967296, offset + 4)
}

export function readTime(buf: Uint8Array, offset: number): number {
  const view = new DataView(buf.buffer, buf.byteOffset + offset, 8)
  return view.getUint32(0) * 4294967296 + view.getUint32(4)
}

export function concat(a: Uint8Array, b: Uint8Array): Buffer {
  const both = Buffer.allocUnsafe(a.length + b.length)
  both.set(a, 0)
  both.set(b, a.length)
  return both
}
