import type { ValueCodec } from './codecs.ts'

/** What is kept of a pane whose windows' results go out at ticks. */
export class DuePane {
  /** undefined: nothing is left. */
  state: unknown
  /** The first tick after its last change. Windows of it that begin later show that change at the first tick after their start. */
  due = Number.NaN

  constructor(state: unknown) {
    this.state = state
  }
}

/** Layout: timestamp f64 | due f64 | state, as the inner codec writes it; nothing if there is none. */
export function duePaneValues(inner: ValueCodec): ValueCodec {
  return {
    encode(value, ts) {
      const { state, due } = value as DuePane
      const bytes = state === undefined ? undefined : inner.encode(state, ts)
      const row = Buffer.allocUnsafe(16 + (bytes?.length ?? 0))
      row.writeDoubleBE(ts, 0)
      row.writeDoubleBE(due, 8)
      if (bytes !== undefined) row.set(bytes, 16)
      return row
    },
    decode(bytes) {
      const pane = new DuePane(bytes.length === 16 ? undefined : inner.decode(bytes.subarray(16)))
      pane.due = new DataView(bytes.buffer, bytes.byteOffset + 8, 8).getFloat64(0)
      return pane
    },
  }
}
