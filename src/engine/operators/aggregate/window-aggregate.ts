import type { AggregateSpec, EmitSpec, UserFn } from '../../../dsl/plan/index.ts'
import { type Bucket, type Entry, Ticked, type WindowTable } from '../../../state/stores/index.ts'
import type { WindowAssigner } from '../../time/window-assigner.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import { type Fold, foldOf } from './aggregate.ts'
import { Grouped } from './grouped.ts'
import { type Counter, type Emit, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'

/**
 * (key, window) -> aggregate, for windows that do not depend on the records: tumbling, hopping, calendar, cumulative.
 *
 *     records   ──a──b────────c──▶ time          grace = 2
 *     windows   [───w0───)[───w1───)
 *     W               ───┴──▲      w0 closes when W >= end + grace - 1
 *
 * A (record, window) pair is late iff the window was closed when the record came; a record that is late for all its
 * windows goes to `late`, once. Windows close in the order of (close, start, key bytes).
 *
 * Under `every` the table's values are `Ticked`: ticks are due when W has reached the last millisecond before a multiple
 * of the interval, and show those windows that have begun and changed.
 */
export class WindowAggregate extends Grouped implements Timed {
  readonly stepId: number
  out: EmitChange = noEmit
  late: Emit | undefined = undefined
  /** Told under `every` that something has changed, where ticks come from outside. */
  onChange: (() => void) | undefined = undefined
  private readonly table: WindowTable
  private readonly windows: WindowAssigner
  private readonly grace: number
  private readonly retention: number
  private readonly mode: EmitSpec['mode']
  private readonly interval: number
  private readonly start: Fold['start']
  private readonly add: Fold['add']
  private readonly result: UserFn | undefined
  private readonly unchanged: UserFn | undefined
  private readonly copy: (value: unknown) => unknown
  private readonly copyState: boolean
  private readonly careful: boolean
  /** States that a record has already made, of the windows that are still to get them. */
  private ahead: unknown[] | undefined = undefined
  private readonly needsOld: boolean
  private readonly copyOld: boolean
  protected readonly clock: TaskClock
  private readonly single: boolean
  protected readonly lateCount: Counter
  private current: Bucket | undefined = undefined
  /** Starts that are open, ascending: the closed ones that retention keeps are only in the table. */
  private readonly open: number[] = []
  /** Starts that have had their on-time result are the first this many of `open`. */
  private onTimeDone = 0
  private nextTick = Number.POSITIVE_INFINITY
  /** Keys that changed since the last tick, by start; null: not known, as after a restore. */
  private readonly changed = new Map<number, unknown[] | null>()

  constructor(
    stepId: number,
    name: string,
    spec: AggregateSpec,
    windows: WindowAssigner,
    grace: number,
    retention: number,
    emit: EmitSpec,
    table: WindowTable,
    needsOld: boolean,
    ctx: OperatorContext,
  ) {
    super(name, ctx)
    const { start, add, result } = foldOf(spec)
    this.stepId = stepId
    this.table = table
    this.windows = windows
    this.grace = grace
    this.retention = retention
    this.mode = emit.mode
    this.interval = emit.mode === 'every' ? emit.interval : 0
    this.start = start
    this.add = add
    this.result = result
    this.unchanged = spec.unchanged
    this.copy = ctx.copy
    this.copyState = ctx.careful && !spec.pure
    this.careful = ctx.careful
    this.needsOld = needsOld
    this.copyOld = needsOld && !spec.pure
    this.clock = ctx.clock
    this.single = windows.single
    this.lateCount = ctx.dropped(name, 'late')
    this.resume()
  }

  process(key: unknown, value: unknown, ts: number, port: number): void {
    if (this.lacks(key, value)) return
    const last = this.windows.lastStart(ts)
    if (this.single) {
      if (this.closeAt(last) > this.clock.wOf(key)) this.update(last, key, value, ts, port)
      else this.tooLate(key, value, ts)
      return
    }
    this.overlapping(last, key, value, ts, port)
  }

  private overlapping(last: number, key: unknown, value: unknown, ts: number, port: number): void {
    let first = last
    for (
      let start = this.windows.previous(last);
      start >= 0 && this.windows.endOf(start) > ts;
      start = this.windows.previous(start)
    )
      first = start
    const w = this.clock.wOf(key)
    if (this.careful) this.ahead = this.statesOf(first, last, w, key, value, ts, port)
    let taken = false
    for (let start = first; start <= last; start = this.windows.next(start)) {
      if (this.windows.endOf(start) <= ts || this.closeAt(start) <= w) continue
      taken = true
      this.update(start, key, value, ts, port)
    }
    this.ahead = undefined
    if (!taken) this.tooLate(key, value, ts)
  }

  /** What a record makes of each of its windows, before any of them is changed: if user code throws for one, none is. */
  private statesOf(
    first: number,
    last: number,
    w: number,
    key: unknown,
    value: unknown,
    ts: number,
    port: number,
  ): unknown[] {
    const states: unknown[] = []
    for (let start = first; start <= last; start = this.windows.next(start)) {
      if (this.windows.endOf(start) <= ts || this.closeAt(start) <= w) continue
      const held = this.table.peek(start)?.load(key).value
      const state = this.mode === 'every' ? (held as Ticked | undefined)?.state : held
      states.push(this.next(state, value, key, port, ts))
    }
    return states
  }

  private next(state: unknown, value: unknown, key: unknown, port: number, ts: number): unknown {
    if (state === undefined) return this.start(value, key, port, ts)
    return this.add(this.copyState ? this.copy(state) : state, value, key, port, ts)
  }

  protected update(start: number, key: unknown, value: unknown, ts: number, port: number): void {
    const bucket = this.current !== undefined && this.current.start === start ? this.current : this.bucket(start)
    const entry = bucket.load(key)
    if (this.mode === 'every') {
      this.updateTicked(bucket, entry, value, ts, port)
      return
    }
    const state = entry.value
    const old = state === undefined || !this.needsOld ? undefined : this.copyOld ? this.copy(state) : state
    const next =
      this.ahead !== undefined
        ? this.ahead.shift()
        : state === undefined
          ? this.start(value, key, port, ts)
          : this.add(this.copyState ? this.copy(state) : state, value, key, port, ts)
    const gone = next === null || next === undefined
    const at = ts > entry.ts ? ts : entry.ts
    this.table.set(bucket, entry, gone ? undefined : next, at)
    if (this.mode === 'update' || (this.mode === 'onTime' && this.clock.wOf(key) >= this.windows.endOf(start) - 1)) {
      if (gone && state === undefined) return
      if (!gone && state !== undefined && this.unchanged?.(state, next)) return
      this.emit(key, start, gone ? null : next, old, at)
    }
  }

  private updateTicked(bucket: Bucket, entry: Entry, value: unknown, ts: number, port: number): void {
    const held = entry.value as Ticked | undefined
    const state = held?.state
    const next = this.ahead !== undefined ? this.ahead.shift() : this.next(state, value, entry.key, port, ts)
    const at = ts > entry.ts ? ts : entry.ts
    if (next === null || next === undefined) {
      if (held === undefined) return
      held.state = undefined
      this.table.set(bucket, entry, held.out ? held : undefined, at)
    } else if (held === undefined) this.table.set(bucket, entry, new Ticked(next), at)
    else {
      held.state = next
      this.table.set(bucket, entry, held, at)
    }
    if (held === undefined || !held.changed) this.changedAt(bucket.start, entry.key)
    if (held !== undefined) held.changed = true
  }

  private changedAt(start: number, key: unknown): void {
    const keys = this.changed.get(start)
    if (this.onChange !== undefined) this.onChange()
    if (keys === undefined) {
      this.changed.set(start, [key])
      this.tickFor(start)
    } else if (keys !== null) keys.push(key)
  }

  private tickFor(start: number): void {
    const at = this.tickAfter(Math.max(this.clock.w, this.windows.startOf(start) - 1))
    if (at >= this.nextTick) return
    this.nextTick = at
    this.clock.notice(at)
  }

  private emit(key: unknown, start: number, state: unknown, old: unknown, ts: number): void {
    const { result } = this
    const row = state === null || result === undefined ? state : result(state)
    const before = old === undefined || result === undefined ? old : result(old)
    this.out({ key, window: { start: this.windows.startOf(start), end: this.windows.endOf(start) } }, row, before, ts)
  }

  private tooLate(key: unknown, value: unknown, ts: number): void {
    this.lateCount.n++
    if (this.late !== undefined) this.late(key, value, ts)
  }

  protected closeAt(start: number): number {
    return this.windows.endOf(start) + this.grace - 1
  }

  private bucket(start: number): Bucket {
    const known = this.table.peek(start)
    const bucket = known ?? this.table.bucket(start)
    this.current = bucket
    if (known === undefined) this.opened(start)
    return bucket
  }

  private opened(start: number): void {
    const { open } = this
    let i = open.length
    while (i > 0 && (open[i - 1] as number) > start) i--
    open.splice(i, 0, start)
    if (i < this.onTimeDone) this.onTimeDone++
    if (this.mode === 'onTime' && this.clock.w >= this.windows.endOf(start) - 1 && i >= this.onTimeDone)
      this.onTimeDone = i + 1
    this.clock.notice(this.nextAt())
  }

  nextAt(): number {
    const { open } = this
    if (open.length === 0) return this.expiresAt()
    let at = Math.min(this.closeAt(open[0] as number), this.expiresAt())
    if (this.mode === 'onTime' && this.onTimeDone < open.length) {
      at = Math.min(at, this.windows.endOf(open[this.onTimeDone] as number) - 1)
    }
    return this.mode === 'every' && this.nextTick < at ? this.nextTick : at
  }

  fire(at: number): void {
    if (this.mode === 'every' && this.nextTick <= at) this.tick(at)
    while (this.mode === 'onTime' && this.onTimeDone < this.open.length) {
      const start = this.open[this.onTimeDone] as number
      if (this.windows.endOf(start) - 1 > at) break
      this.onTimeDone++
      this.emitRows(start, this.windows.endOf(start) - 1)
    }
    while (this.open.length > 0 && this.closeAt(this.open[0] as number) <= at) this.close(this.open[0] as number)
    this.expire(at)
  }

  private close(start: number): void {
    if (this.mode === 'close') this.emitRows(start, this.closeAt(start))
    else if (this.mode === 'every') {
      this.emitChanged(start)
      // else a window that opens later would have its tick at once
      if (this.changed.size === 0) this.nextTick = Number.POSITIVE_INFINITY
    }
    this.open.shift()
    if (this.onTimeDone > 0) this.onTimeDone--
    if (this.retention === 0) this.drop(start)
  }

  private drop(start: number): void {
    if (this.current !== undefined && this.current.start === start) this.current = undefined
    this.table.drop(start)
  }

  /** @param at when; what was further then has shown them */
  private emitRows(start: number, at: number): void {
    const bucket = this.table.peek(start)
    if (bucket === undefined) return
    const { former } = this.clock
    for (const { key, value, ts } of this.table.rows(bucket))
      if (former === undefined || former.of(key) < at) this.emit(key, start, value, undefined, ts)
  }

  /** Windows that changed since the last tick, in the order of (start, key). */
  private tick(at: number): void {
    for (const start of [...this.open])
      if (this.windows.startOf(start) <= at && this.changed.has(start)) this.emitChanged(start)
    this.nextTick = Number.POSITIVE_INFINITY
    for (const start of this.changed.keys())
      this.nextTick = Math.min(this.nextTick, this.tickAfter(this.windows.startOf(start) - 1))
  }

  /** A tick from outside. */
  showAll(): void {
    for (const start of [...this.open]) this.emitChanged(start)
  }

  private emitChanged(start: number): void {
    const bucket = this.table.peek(start)
    const keys = this.changed.get(start)
    this.changed.delete(start)
    if (bucket === undefined || keys === undefined) return
    if (keys === null) {
      for (const entry of this.table.rows(bucket)) this.emitTicked(bucket, entry)
      return
    }
    keys.sort(this.table.space.keys.compare)
    for (const key of keys) this.emitTicked(bucket, bucket.load(key))
  }

  private emitTicked(bucket: Bucket, entry: Entry): void {
    const held = entry.value as Ticked | undefined
    if (held === undefined || !held.changed) return
    const { key, ts } = entry
    const { state, shown } = held
    held.changed = false
    held.out = state !== undefined
    held.shown = state !== undefined && this.needsOld ? (this.copyOld ? this.copy(state) : state) : undefined
    this.table.set(bucket, entry, state === undefined ? undefined : held, ts)
    this.emit(key, bucket.start, state === undefined ? null : state, shown, ts)
  }

  /** The first tick after t. */
  private tickAfter(t: number): number {
    return (Math.floor((t + 1) / this.interval) + 1) * this.interval - 1
  }

  /** Closed windows that were kept for queries go when W has passed their retention too. */
  private expiresAt(): number {
    if (this.retention === 0 || this.clock.ended) return Number.POSITIVE_INFINITY
    const [first] = this.table.liveStarts
    if (first === undefined || first === this.open[0]) return Number.POSITIVE_INFINITY
    return this.closeAt(first) + this.retention
  }

  private expire(at: number): void {
    while (this.expiresAt() <= at) this.drop(this.table.liveStarts[0] as number)
  }

  /** After a restore: which of the stored starts are open follows from W. */
  private resume(): void {
    const { w } = this.clock
    for (const start of this.table.liveStarts) {
      if (this.closeAt(start) > w) this.open.push(start)
    }
    if (this.retention === 0)
      for (const start of [...this.table.liveStarts]) if (this.closeAt(start) <= w) this.drop(start)
    if (this.mode === 'onTime') this.onTimeDone = this.open.filter((start) => this.windows.endOf(start) - 1 <= w).length
    if (this.mode !== 'every') return
    for (const start of this.open) {
      this.changed.set(start, null)
      this.tickFor(start)
    }
  }
}
