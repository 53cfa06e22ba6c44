import type { ValueCodec } from './codecs.ts'

/** What is kept of a window whose results go out at ticks. */
export class Ticked {
  /** undefined: nothing is left, but a row of it is out. */
  state: unknown
  /** Changed since the last tick. */
  changed = true
  /** A row of it is out. */
  out = false
  /** The state of that row, where somebody downstream needs old rows. */
  shown: unknown = undefined

  constructor(state: unknown) {
    this.state = state
  }
}

const CHANGED = 1
const OUT = 2
const STATE = 4

/** Layout: timestamp f64 | flags u8 | length of the state u32 | state | shown state; both as the inner codec writes them. */
export function tickedValues(inner: ValueCodec): ValueCodec {
  const none = Buffer.alloc(0)
  return {
    encode(value, ts) {
      const { state, changed, out, shown } = value as Ticked
      const first = state === undefined ? none : inner.encode(state, ts)
      const second = shown === undefined ? none : inner.encode(shown, ts)
      const row = Buffer.allocUnsafe(13 + first.length + second.length)
      row.writeDoubleBE(ts, 0)
      row[8] = (changed ? CHANGED : 0) | (out ? OUT : 0) | (state === undefined ? 0 : STATE)
      row.writeUInt32BE(first.length, 9)
      row.set(first, 13)
      row.set(second, 13 + first.length)
      return row
    },
    decode(bytes) {
      const flags = bytes[8] as number
      const end = 13 + new DataView(bytes.buffer, bytes.byteOffset + 9, 4).getUint32(0)
      const ticked = new Ticked((flags & STATE) === 0 ? undefined : inner.decode(bytes.subarray(13, end)))
      ticked.changed = (flags & CHANGED) !== 0
      ticked.out = (flags & OUT) !== 0
      if (end < bytes.length) ticked.shown = inner.decode(bytes.subarray(end))
      return ticked
    },
  }
}
