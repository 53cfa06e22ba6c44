import type { AggregateSpec, EmitSpec, UserFn } from '../../../dsl/plan/index.ts'
import { toMs } from '../../../dsl/time/index.ts'
import { type Entry, Session, Sessions, type SessionTable, type Shown } from '../../../state/stores/index.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import { type Fold, foldOf, mergeOf } from './aggregate.ts'
import { Grouped } from './grouped.ts'
import { type Counter, type Emit, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'

/** How far apart the stretches of the timer index lie, ms. Many keys share one, and one is much shorter than a session. */
export const sessionSpan = (gap: number | UserFn, grace: number): number =>
  Math.max(1, Math.ceil(((typeof gap === 'number' ? gap : 60_000) + grace) / 16))

interface DueSession {
  readonly entry: Entry
  readonly session: Session
}

/**
 * (key, session) -> aggregate. Records of a key that are at most `gap` apart belong together; one that comes late may
 * join two sessions. The window of a result is [first timestamp, last timestamp].
 *
 *     records   a──a─a──────────────a─▶ time        gap = 5
 *     sessions  [────]              [─
 *     reach          ────┤ = last + gap             a record up to here belongs to the session
 *     W                       ▲                     closes when W >= reach + grace
 *
 * A gap that is a function of the record gives each record its own reach, and a session the furthest of its records';
 * two sessions touch where one starts within the other's reach, as in Flink.
 *
 * A record is late iff W >= closeAt of the session it would end up in. A closed session takes nothing any more: where it
 * is kept for queries, a record beside it opens a session of its own, so that retention changes no result.
 *
 * Rows under `onTime` and `every` are taken back together with the row that replaces them: a session that grows does not
 * vanish from its table until it is shown again. Under `onTime` a session that grew beyond W is shown when W gets there.
 *
 * Timers: growing moves a session's close with every record, so that nothing is armed for each record. A key is armed
 * once, for the earliest of what may be due for any of its sessions; when that comes too early, which happens once a
 * gap and key at most, it is armed again. The armed times are an index in the store (see SessionTable), read a stretch
 * at a time: after a restore neither all keys nor all timers have to be looked at.
 */
export class SessionAggregate extends Grouped implements Timed {
  readonly stepId: number
  out: EmitChange = noEmit
  late: Emit | undefined = undefined
  /** Told under `every` that something has changed, where ticks come from outside. */
  onChange: (() => void) | undefined = undefined
  /** Keys that changed since the last tick from outside; null: not known, as after a restore. */
  private touched: Set<unknown> | null = null
  /** How far the session whose row is going out reaches: when it closes does not show in its window. */
  reach = Number.NEGATIVE_INFINITY
  private readonly table: SessionTable
  private readonly gap: number
  private readonly gapOf: UserFn | undefined
  private readonly grace: number
  private readonly retention: number
  private readonly mode: EmitSpec['mode']
  private readonly interval: number
  private readonly start: Fold['start']
  private readonly add: Fold['add']
  private readonly merge: UserFn
  private readonly result: UserFn | undefined
  private readonly copy: (value: unknown) => unknown
  private readonly copyState: boolean
  private readonly needsOld: boolean
  private readonly copyOld: boolean
  private readonly clock: TaskClock
  private readonly lateCount: Counter

  constructor(
    stepId: number,
    name: string,
    spec: AggregateSpec,
    gap: number | UserFn,
    grace: number,
    retention: number,
    emit: EmitSpec,
    table: SessionTable,
    needsOld: boolean,
    ctx: OperatorContext,
  ) {
    super(name, ctx)
    const { start, add, result } = foldOf(spec)
    this.stepId = stepId
    this.table = table
    this.gap = typeof gap === 'number' ? gap : 0
    this.gapOf = typeof gap === 'number' ? undefined : gap
    this.grace = grace
    this.retention = retention
    this.mode = emit.mode
    this.interval = emit.mode === 'every' ? emit.interval : 0
    this.start = start
    this.add = add
    this.merge = mergeOf(spec)
    this.result = result
    this.copy = ctx.copy
    this.copyState = ctx.careful && !spec.pure
    this.needsOld = needsOld
    this.copyOld = needsOld && !spec.pure
    this.clock = ctx.clock
    this.lateCount = ctx.dropped(name, 'late')
  }

  process(key: unknown, value: unknown, ts: number, port: number): void {
    if (this.lacks(key, value)) return
    const reach = ts + (this.gapOf === undefined ? this.gap : this.gapFor(value, key))
    const entry = this.table.rows.load(key)
    const held = entry.value as Sessions | undefined
    if (held === undefined) {
      this.open(entry, undefined, 0, value, ts, reach, port)
      return
    }
    const { open } = held
    let to = open.length
    while (to > 0 && (open[to - 1] as Session).start > reach) to--
    let from = to
    while (from > 0 && (open[from - 1] as Session).reach >= ts) from--
    if (from === to) this.open(entry, held, to, value, ts, reach, port)
    else if (to - from === 1) this.update(entry, held, open[from] as Session, value, ts, reach, port)
    else this.join(entry, held, from, to, value, ts, reach, port)
  }

  /** The session of a record that touches no other. */
  private open(
    entry: Entry,
    held: Sessions | undefined,
    at: number,
    value: unknown,
    ts: number,
    reach: number,
    port: number,
  ): void {
    const w = this.clock.wOf(entry.key)
    if (reach + this.grace <= w) {
      this.lateCount.n++
      if (this.late !== undefined) this.late(entry.key, value, ts)
      return
    }
    const state = this.start(value, entry.key, port, ts)
    if (state === null || state === undefined) return
    const session = new Session(ts, ts, reach, ts, state)
    const sessions = held ?? new Sessions()
    sessions.open.splice(at, 0, session)
    this.reach = reach
    if (this.mode === 'update') this.emit(entry.key, ts, ts, state, undefined, ts)
    else if (this.mode === 'onTime' && reach <= w) this.show(entry.key, session)
    this.keep(entry, sessions, session)
  }

  /** A record that touches one session. */
  private update(
    entry: Entry,
    held: Sessions,
    session: Session,
    value: unknown,
    ts: number,
    reach: number,
    port: number,
  ): void {
    const { key } = entry
    const { start, end, state } = session
    const old = this.copyOld ? this.copy(state) : state
    const next = this.add(this.copyState ? this.copy(state) : state, value, key, port, ts)
    if (ts > session.ts) session.ts = ts
    if (next === null || next === undefined) {
      this.remove(entry, held, session, old)
      return
    }
    session.state = next
    session.pending = true
    if (ts < start) session.start = ts
    if (ts > end) session.end = ts
    if (reach > session.reach) session.reach = reach
    this.reach = session.reach
    if (this.mode === 'update') {
      // one row as long as it is of one time; else Kafka Streams' two, also where the bounds stay
      const same = session.start === ts && session.end === ts
      if (!same) this.emit(key, start, end, null, this.needsOld ? old : undefined, end)
      this.emit(key, session.start, session.end, next, same && this.needsOld ? old : undefined, session.ts)
    } else if (this.mode === 'onTime' && session.reach <= this.clock.wOf(key)) this.show(key, session)
    this.keep(entry, held, session)
  }

  /** A record that makes several sessions one. */
  private join(
    entry: Entry,
    held: Sessions,
    from: number,
    to: number,
    value: unknown,
    ts: number,
    reach: number,
    port: number,
  ): void {
    const { key } = entry
    const parts = held.open.slice(from, to)
    const rows: Shown[] =
      this.mode === 'update' ? parts.map((part) => this.rowOf(part)) : parts.flatMap(({ shown }) => shown)
    const [first] = parts as [Session]
    let state = this.copyState ? this.copy(first.state) : first.state
    const joined = new Session(Math.min(first.start, ts), ts, reach, ts, undefined)
    for (const [i, part] of parts.entries()) {
      if (i > 0) state = this.merge(state, this.copyState ? this.copy(part.state) : part.state, key)
      joined.end = Math.max(joined.end, part.end)
      joined.reach = Math.max(joined.reach, part.reach)
      joined.ts = Math.max(joined.ts, part.ts)
    }
    joined.state = this.add(state, value, key, port, ts)
    joined.shown = rows
    if (joined.state === null || joined.state === undefined) {
      held.open.splice(from, to - from)
      this.retract(key, rows, joined.ts)
      this.table.set(entry, held, this.stamp(held), Number.POSITIVE_INFINITY)
      return
    }
    held.open.splice(from, to - from, joined)
    if (this.mode === 'update') {
      this.show(key, joined)
      joined.shown = []
    } else if (this.mode === 'onTime' && joined.reach <= this.clock.wOf(key)) this.show(key, joined)
    this.keep(entry, held, joined)
  }

  private remove(entry: Entry, held: Sessions, session: Session, old: unknown): void {
    held.open.splice(held.open.indexOf(session), 1)
    const { start, end, shown, ts } = session
    this.retract(entry.key, this.mode === 'update' ? [{ start, end, state: old }] : shown, ts)
    this.table.set(entry, held, this.stamp(held), Number.POSITIVE_INFINITY)
  }

  private keep(entry: Entry, held: Sessions, session: Session): void {
    const ts = session.ts > entry.ts ? session.ts : entry.ts
    const at = this.dueOf(session)
    if (this.table.set(entry, held, ts, at)) this.clock.notice(at)
    if (this.onChange === undefined) return
    this.touched?.add(entry.key)
    this.onChange()
  }

  private emit(key: unknown, start: number, end: number, state: unknown, old: unknown, ts: number): void {
    const { result } = this
    const row = state === null || result === undefined ? state : result(state)
    const before = old === undefined || result === undefined ? old : result(old)
    this.out({ key, window: { start, end } }, row, before, ts)
  }

  /** Takes back the rows of what the session was, then shows what it is. */
  private show(key: unknown, session: Session): void {
    const { start, end, state, ts, shown } = session
    let old: unknown
    for (const row of shown) {
      if (row.start === start && row.end === end) old = row.state
      else this.emit(key, row.start, row.end, null, row.state, row.end)
    }
    session.pending = false
    this.reach = session.reach
    session.shown = [this.rowOf(session)]
    this.emit(key, start, end, state, old, ts)
  }

  private rowOf({ start, end, state }: Session): Shown {
    return { start, end, state: this.needsOld ? (this.copyOld ? this.copy(state) : state) : undefined }
  }

  private retract(key: unknown, rows: readonly Shown[], ts: number): void {
    for (const { start, end, state } of rows) this.emit(key, start, end, null, this.needsOld ? state : undefined, ts)
  }

  nextAt(): number {
    return this.table.nextAt()
  }

  fire(at: number): void {
    const entries = this.table.take(at)
    const due: DueSession[] = []
    for (const entry of entries)
      for (const session of (entry.value as Sessions).open) if (this.dueOf(session) <= at) due.push({ entry, session })
    // all of them are due at this very time, so the order of (closeAt, start, key) is that of (start, key)
    if (due.length > 1) {
      const { compare } = this.table.rows.space.keys
      due.sort((a, b) => a.session.start - b.session.start || compare(a.entry.key, b.entry.key))
    }
    for (const { entry, session } of due) {
      this.reach = session.reach
      if (this.mode === 'close') this.emit(entry.key, session.start, session.end, session.state, undefined, session.ts)
      else if (session.pending && this.mode !== 'update') this.show(entry.key, session)
    }
    for (const entry of entries) this.sweep(entry, at)
    this.table.forget(at)
  }

  /** A tick from outside: shows all that has changed. */
  showAll(): void {
    const { rows } = this.table
    const keys = this.touched === null ? Array.from(rows.scan(), ({ key }) => key) : [...this.touched]
    this.touched = new Set()
    const due: DueSession[] = []
    for (const key of keys) {
      const entry = rows.load(key)
      for (const session of (entry.value as Sessions | undefined)?.open ?? [])
        if (session.pending) due.push({ entry, session })
    }
    const { compare } = rows.space.keys
    due.sort((a, b) => a.session.start - b.session.start || compare(a.entry.key, b.entry.key))
    for (const { entry, session } of due) this.show(entry.key, session)
    for (const entry of new Set(due.map(({ entry }) => entry))) this.sweep(entry, this.clock.w)
  }

  /** Puts away what is over, and arms the key for the rest. */
  private sweep(entry: Entry, at: number): void {
    const held = entry.value as Sessions
    const { open, closed } = held
    let next = Number.POSITIVE_INFINITY
    let live = 0
    for (const session of open) {
      if (session.reach + this.grace <= at) {
        if (this.retention > 0) closed.push(session)
        continue
      }
      open[live++] = session
      next = Math.min(next, this.dueOf(session))
    }
    open.length = live
    while (closed.length > 0 && this.expiryOf(closed[0] as Session) <= at) closed.shift()
    if (closed.length > 0) next = Math.min(next, this.expiryOf(closed[0] as Session))
    this.table.set(entry, held, this.stamp(held), next)
  }

  private stamp({ open, closed }: Sessions): number {
    let ts = Number.NEGATIVE_INFINITY
    for (const session of open) if (session.ts > ts) ts = session.ts
    for (const session of closed) if (session.ts > ts) ts = session.ts
    return ts
  }

  /** When something has to be done about an open session. */
  private dueOf(session: Session): number {
    const closeAt = session.reach + this.grace
    if (!session.pending) return closeAt
    if (this.mode === 'onTime') return Math.min(closeAt, session.reach)
    return this.mode === 'every' ? Math.min(closeAt, this.tickAfter(session.start)) : closeAt
  }

  /** The end of input is no time to expire anything by. */
  private expiryOf(session: Session): number {
    return this.clock.ended ? Number.POSITIVE_INFINITY : session.reach + this.grace + this.retention
  }

  /** The first tick that is still to come, of those that do not come before the session begins. */
  private tickAfter(start: number): number {
    const from = Math.max(this.clock.w, start - 1)
    return (Math.floor((from + 1) / this.interval) + 1) * this.interval - 1
  }

  private gapFor(value: unknown, key: unknown): number {
    const gap: unknown = (this.gapOf as UserFn)(value, key)
    return typeof gap === 'number' && gap > 0 && Number.isSafeInteger(gap)
      ? gap
      : toMs(gap as never, 'windows.session gap', 1)
  }
}
