import { timestampOf, type ValueCodec } from './codecs.ts'

/** One window of a key, where its windows depend on its records. */
export interface Cell {
  readonly start: number
  /** undefined: nothing is left of it. */
  state: unknown
  /** Highest timestamp of its records. */
  ts: number
  /** What it is now has not gone out. */
  pending: boolean
  /** A row of it is out. */
  out: boolean
  /** What that row showed, where somebody downstream needs old rows. */
  shown: unknown
  /** Made after it was closed: never shown, but others are made from it. */
  ghost: boolean
}

/** All windows of a key: one row. */
export class Cells {
  armedAt = Number.POSITIVE_INFINITY
  /** Sliding windows: times of the key's records, ascending. Count windows: the number of its next record. */
  readonly marks: number[] = []
  /** By start. */
  readonly cells: Cell[] = []
}

const PENDING = 1
const OUT = 2
const STATE = 4
const SHOWN = 8
const GHOST = 16

/**
 * Layout: timestamp f64 | armedAt f64 | marks u32 | cells u32 | marks f64 … | cells …; a cell: start f64 | flags u8 |
 * length u32 | state (with its timestamp, as the inner codec writes it; nothing but the timestamp without one) |
 * length u32 | shown state.
 */
export function cellValues(inner: ValueCodec): ValueCodec {
  return {
    encode(value, ts) {
      const { armedAt, marks, cells } = value as Cells
      const head = Buffer.allocUnsafe(24 + marks.length * 8)
      head.writeDoubleBE(ts, 0)
      head.writeDoubleBE(armedAt, 8)
      head.writeUInt32BE(marks.length, 16)
      head.writeUInt32BE(cells.length, 20)
      for (const [i, mark] of marks.entries()) head.writeDoubleBE(mark, 24 + i * 8)
      const parts: Uint8Array[] = [head]
      for (const cell of cells) writeCell(parts, cell, inner)
      return Buffer.concat(parts)
    },
    decode(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      const row = new Cells()
      row.armedAt = view.getFloat64(8)
      const marks = view.getUint32(16)
      let at = 24
      for (let i = 0; i < marks; i++, at += 8) row.marks.push(view.getFloat64(at))
      for (let i = view.getUint32(20); i > 0; i--) {
        const start = view.getFloat64(at)
        const flags = bytes[at + 8] as number
        const state = at + 13
        const shown = state + view.getUint32(at + 9) + 4
        const end = shown + view.getUint32(shown - 4)
        row.cells.push({
          start,
          state: (flags & STATE) === 0 ? undefined : inner.decode(bytes.subarray(state, shown - 4)),
          ts: timestampOf(bytes, state),
          pending: (flags & PENDING) !== 0,
          out: (flags & OUT) !== 0,
          shown: (flags & SHOWN) === 0 ? undefined : inner.decode(bytes.subarray(shown, end)),
          ghost: (flags & GHOST) !== 0,
        })
        at = end
      }
      return row
    },
  }
}

function writeCell(
  parts: Uint8Array[],
  { start, state, ts, pending, out, shown, ghost }: Cell,
  inner: ValueCodec,
): void {
  const bytes = state === undefined ? stamp(ts) : inner.encode(state, ts)
  const head = Buffer.allocUnsafe(13)
  head.writeDoubleBE(start, 0)
  head[8] =
    (pending ? PENDING : 0) |
    (out ? OUT : 0) |
    (state === undefined ? 0 : STATE) |
    (shown === undefined ? 0 : SHOWN) |
    (ghost ? GHOST : 0)
  head.writeUInt32BE(bytes.length, 9)
  const before = shown === undefined ? undefined : inner.encode(shown, ts)
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(before?.length ?? 0, 0)
  parts.push(head, bytes, length)
  if (before !== undefined) parts.push(before)
}

function stamp(ts: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleBE(ts, 0)
  return bytes
}
