import { timestampOf, type ValueCodec } from './codecs.ts'
import { RowWriter } from './row-writer.ts'
import { DueTable } from './due.ts'
import type { Entry } from './entry.ts'

/** A row that went out for a session, and was not taken back. */
export interface Shown {
  readonly start: number
  readonly end: number
  /** What it showed, where somebody downstream needs old rows. */
  readonly state: unknown
}

const noRows: readonly Shown[] = []

/** One session of a key. */
export class Session {
  /** First and last timestamp. */
  start: number
  end: number
  /** A record up to here belongs to it: the furthest `timestamp + gap` of its records. */
  reach: number
  /** Highest timestamp of its records. */
  ts: number
  state: unknown
  /** What it is now has not gone out. */
  pending = true
  /** Rows that are out, where they go out by time. */
  shown: readonly Shown[] = noRows

  constructor(start: number, end: number, reach: number, ts: number, state: unknown) {
    this.start = start
    this.end = end
    this.reach = reach
    this.ts = ts
    this.state = state
  }
}

/** All sessions of a key: one row. */
export class Sessions {
  /** Nothing is due for this key before. */
  armedAt = Number.POSITIVE_INFINITY
  /** By start; no two of them touch. */
  readonly open: Session[] = []
  /** Kept for queries only, in the order of closing. */
  readonly closed: Session[] = []
}

/** Sessions by key: those that something is due for are found when time gets there. */
export class SessionTable extends DueTable<Sessions> {
  static values(inner: ValueCodec): ValueCodec {
    return sessionValues(inner)
  }

  /**
   * Stores what became of a key's sessions; looked at again at `dueAt` at the latest.
   * @returns whether that is earlier than it was
   */
  set(entry: Entry, sessions: Sessions, ts: number, dueAt: number): boolean {
    const empty = sessions.open.length === 0 && sessions.closed.length === 0
    return this.keep(entry, empty ? undefined : sessions, sessions, ts, dueAt)
  }
}

/**
 * Layout of a row: timestamp f64 | armedAt f64 | open u32 | closed u32 | sessions. A session:
 * start f64 | end f64 | reach f64 | pending u8 | shown u32 | length u32 | state (with its ts) | shown rows;
 * a shown row: start f64 | end f64 | length u32 | state.
 */
function sessionValues(inner: ValueCodec): ValueCodec {
  const writer = new RowWriter()
  const bytesOf = inner.view?.bind(inner) ?? inner.encode.bind(inner)

  const write = ({ start, end, reach, ts, state, pending, shown }: Session): void => {
    const bytes = bytesOf(state, ts)
    writer.double(start).double(end).double(reach)
    writer
      .byte(pending ? 1 : 0)
      .uint32(shown.length)
      .uint32(bytes.length)
      .raw(bytes)
    for (const row of shown) {
      const old = row.state === undefined ? none : bytesOf(row.state, ts)
      writer.double(row.start).double(row.end).uint32(old.length).raw(old)
    }
  }

  const view = (value: unknown, ts: number): Buffer => {
    const { armedAt, open, closed } = value as Sessions
    writer.reset().double(ts).double(armedAt).uint32(open.length).uint32(closed.length)
    for (let i = 0; i < open.length; i++) write(open[i] as Session)
    for (let i = 0; i < closed.length; i++) write(closed[i] as Session)
    return writer.view()
  }

  return {
    view,
    encode: (value, ts) => Buffer.from(view(value, ts)),
    decode(bytes) {
      const reader = new Reader(bytes, inner)
      const sessions = new Sessions()
      sessions.armedAt = reader.double()
      const open = reader.int()
      const closed = reader.int()
      for (let i = 0; i < open; i++) sessions.open.push(reader.session())
      for (let i = 0; i < closed; i++) sessions.closed.push(reader.session())
      return sessions
    },
  }
}

const none = new Uint8Array(0)

class Reader {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly inner: ValueCodec
  private pos = 8

  constructor(bytes: Uint8Array, inner: ValueCodec) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.inner = inner
  }

  double(): number {
    this.pos += 8
    return this.view.getFloat64(this.pos - 8)
  }

  int(): number {
    this.pos += 4
    return this.view.getUint32(this.pos - 4)
  }

  private state(length: number): unknown {
    this.pos += length
    return this.inner.decode(this.bytes.subarray(this.pos - length, this.pos))
  }

  session(): Session {
    const start = this.double()
    const end = this.double()
    const reach = this.double()
    const pending = this.bytes[this.pos++] === 1
    const rows = this.int()
    const length = this.int()
    const ts = timestampOf(this.bytes, this.pos)
    const session = new Session(start, end, reach, ts, this.state(length))
    session.pending = pending
    if (rows > 0) session.shown = Array.from({ length: rows }, () => this.shown())
    return session
  }

  private shown(): Shown {
    const start = this.double()
    const end = this.double()
    const length = this.int()
    return { start, end, state: length === 0 ? undefined : this.state(length) }
  }
}
