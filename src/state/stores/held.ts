import type { ValueCodec } from './codecs.ts'

/** The latest change of a row that is held back. */
export class Held {
  armedAt = Number.POSITIVE_INFINITY
  /** When it is to go on; a session may grow meanwhile, without another window. */
  due: number
  /** Timestamp of the first change that is in it. */
  readonly since: number
  /** null: deleted. */
  value: unknown
  /** The row before the first change, where somebody downstream needs it. */
  readonly old: unknown
  ts: number
  /** Encoded size, where there is a budget of bytes. */
  bytes = 0

  constructor(since: number, due: number, value: unknown, old: unknown, ts: number) {
    this.since = since
    this.due = due
    this.value = value
    this.old = old
    this.ts = ts
  }
}

const VALUE = 1
const OLD = 2

/** Layout: timestamp f64 | armedAt f64 | since f64 | due f64 | bytes u32 | flags u8 | length u32 of the value | value | old row. */
export function heldValues(inner: ValueCodec): ValueCodec {
  const none = Buffer.alloc(0)
  return {
    encode(row, ts) {
      const { armedAt, since, due, value, old, bytes } = row as Held
      const present = value !== null && value !== undefined
      const before = old !== null && old !== undefined
      const first = present ? inner.encode(value, ts) : none
      const second = before ? inner.encode(old, ts) : none
      const out = Buffer.allocUnsafe(41 + first.length + second.length)
      out.writeDoubleBE(ts, 0)
      out.writeDoubleBE(armedAt, 8)
      out.writeDoubleBE(since, 16)
      out.writeDoubleBE(due, 24)
      out.writeUInt32BE(bytes, 32)
      out[36] = (present ? VALUE : 0) | (before ? OLD : 0)
      out.writeUInt32BE(first.length, 37)
      out.set(first, 41)
      out.set(second, 41 + first.length)
      return out
    },
    decode(row) {
      const view = new DataView(row.buffer, row.byteOffset, row.length)
      const flags = row[36] as number
      const end = 41 + view.getUint32(37)
      const held = new Held(
        view.getFloat64(16),
        view.getFloat64(24),
        (flags & VALUE) === 0 ? null : inner.decode(row.subarray(41, end)),
        (flags & OLD) === 0 ? undefined : inner.decode(row.subarray(end)),
        view.getFloat64(0),
      )
      held.armedAt = view.getFloat64(8)
      held.bytes = view.getUint32(32)
      return held
    },
  }
}
