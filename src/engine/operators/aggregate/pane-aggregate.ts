import type { AggregateSpec, UserFn } from '../../../dsl/plan/index.ts'
import { type Bucket, DuePane, type Entry, type WindowTable } from '../../../state/stores/index.ts'
import type { WindowAssigner } from '../../time/window-assigner.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import type { PaneGrid } from '../../time/panes.ts'
import { type Fold, foldOf, mergeOf } from './aggregate.ts'
import { Grouped } from './grouped.ts'
import { type Counter, type Emit, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'
import { type PaneMerge, type PaneRun, PaneRuns } from './pane-runs.ts'
import { PaneTicks } from './pane-ticks.ts'

/**
 * States of panes become states of windows: copies, unless functions that are pure promise to change nothing.
 * @param ticked the table keeps when panes are due
 */
export const paneMerge = (spec: AggregateSpec, copy: (state: unknown) => unknown, ticked: boolean): PaneMerge => ({
  merge: mergeOf(spec),
  copy: spec.pure ? (state) => state : copy,
  stateOf: ticked ? (row) => (row as DuePane).state : (row) => row,
})

/**
 * (key, window) -> aggregate for overlapping windows whose results go out when they close, of an aggregate that can be
 * merged; under `every` what has changed also goes out at ticks (see PaneTicks). The store has a row a pane; a record changes one of them, however many windows it is in, and a window that closes
 * merges its panes (see PaneRun). What is late for a window, when windows close, and in which order: see WindowAggregate.
 *
 * A record that comes after the first of its windows has closed changes a pane that has been merged already: its key's
 * panes are merged anew, which costs no more than changing each of its windows would.
 */
export class PaneAggregate extends Grouped implements Timed {
  readonly stepId: number
  out: EmitChange = noEmit
  late: Emit | undefined = undefined
  onChange: (() => void) | undefined = undefined
  private readonly table: WindowTable
  private readonly windows: WindowAssigner
  private readonly panes: PaneGrid
  private readonly grace: number
  private readonly start: Fold['start']
  private readonly add: Fold['add']
  private readonly result: UserFn | undefined
  private readonly copy: (value: unknown) => unknown
  private readonly copyState: boolean
  private readonly ctx: OperatorContext
  private readonly clock: TaskClock
  private readonly runs: PaneRuns
  /** Under `every`; the table's rows are `DuePane`s then. */
  private readonly ticks: PaneTicks | undefined
  private readonly lateCount: Counter
  private current: Bucket | undefined = undefined
  /** The window that closes next; Infinity: no pane is in an open window. */
  private next = Number.POSITIVE_INFINITY

  constructor(
    stepId: number,
    name: string,
    spec: AggregateSpec,
    windows: WindowAssigner & { readonly panes: PaneGrid },
    grace: number,
    /** How far ticks are apart, ms of event time. */
    interval: number | undefined,
    table: WindowTable,
    ctx: OperatorContext,
  ) {
    super(name, ctx)
    const { start, add, result } = foldOf(spec)
    this.stepId = stepId
    this.table = table
    this.windows = windows
    this.panes = windows.panes
    this.grace = grace
    this.start = start
    this.add = add
    this.result = result
    this.ctx = ctx
    this.copy = ctx.copy
    this.copyState = ctx.careful && !spec.pure
    this.clock = ctx.clock
    const how = paneMerge(spec, ctx.copy, interval !== undefined)
    this.runs = new PaneRuns(table, how)
    this.lateCount = ctx.dropped(name, 'late')
    table.floor = () => this.firstOpen()
    this.resume()
    const { clock } = ctx
    const show = (run: PaneRun, start: number): void => this.show(run, start)
    this.ticks =
      interval === undefined
        ? undefined
        : new PaneTicks(table, windows, how, interval, clock, () => this.firstOpen(), show)
  }

  process(key: unknown, value: unknown, ts: number, port: number): void {
    if (this.lacks(key, value)) return
    if (this.closeAt(this.windows.lastStart(ts)) > this.clock.wOf(key)) this.update(key, value, ts, port)
    else {
      this.lateCount.n++
      if (this.late !== undefined) this.late(key, value, ts)
    }
  }

  private update(key: unknown, value: unknown, ts: number, port: number): void {
    const pane = this.panes.paneOf(ts)
    const bucket = this.current !== undefined && this.current.start === pane ? this.current : this.bucket(pane)
    const entry = bucket.load(key)
    if (this.ticks !== undefined) {
      this.updateDue(this.ticks, bucket, entry, value, ts, port)
      return
    }
    const state = entry.value
    const next =
      state === undefined
        ? this.start(value, key, port, ts)
        : this.add(this.copyState ? this.copy(state) : state, value, key, port, ts)
    const gone = next === null || next === undefined
    this.table.set(bucket, entry, gone ? undefined : next, ts > entry.ts ? ts : entry.ts)
    this.runs.touch(pane, key)
  }

  private updateDue(ticks: PaneTicks, bucket: Bucket, entry: Entry, value: unknown, ts: number, port: number): void {
    const { key } = entry
    const held = entry.value as DuePane | undefined
    const state = held?.state
    const next =
      state === undefined
        ? this.start(value, key, port, ts)
        : this.add(this.copyState ? this.copy(state) : state, value, key, port, ts)
    const gone = next === null || next === undefined
    if (held === undefined && gone) return
    const pane = held ?? new DuePane(next)
    pane.state = gone ? undefined : next
    ticks.changed(bucket.start, key, pane)
    this.table.set(bucket, entry, pane, ts > entry.ts ? ts : entry.ts)
    this.runs.touch(bucket.start, key)
  }

  /** @param state undefined: nothing is left */
  private emit(key: unknown, start: number, state: unknown, ts: number): void {
    const { result } = this
    const row = state === undefined ? null : result === undefined ? state : result(state)
    this.out({ key, window: { start, end: this.windows.endOf(start) } }, row, undefined, ts)
  }

  private bucket(pane: number): Bucket {
    const known = this.table.peek(pane)
    const bucket = known ?? this.table.bucket(pane)
    this.current = bucket
    if (known === undefined) this.opened(pane)
    return bucket
  }

  private opened(pane: number): void {
    const first = Math.max(this.firstOpen(), this.panes.firstEndingAfter(pane))
    if (first >= this.next) return
    this.next = first
    this.clock.notice(this.closeAt(first))
  }

  private closeAt(start: number): number {
    return this.windows.endOf(start) + this.grace - 1
  }

  nextAt(): number {
    const closeAt = this.next === Number.POSITIVE_INFINITY ? this.next : this.closeAt(this.next)
    return this.ticks !== undefined && this.ticks.next < closeAt ? this.ticks.next : closeAt
  }

  fire(at: number): void {
    if (this.ticks !== undefined && this.ticks.next <= at) this.ticks.fire(at)
    while (this.next !== Number.POSITIVE_INFINITY && this.closeAt(this.next) <= at) this.close(this.next)
  }

  private close(start: number): void {
    const { ticks } = this
    const end = this.windows.endOf(start)
    const at = this.closeAt(start)
    for (const run of this.runs.slide(start, end)) {
      if (ticks !== undefined && !ticks.waits(run.key, start, end, at)) continue
      this.show(run, start)
    }
    this.settle(this.windows.next(start))
  }

  /** A merger that throws takes this one result with it, and nothing else. */
  private show(run: PaneRun, start: number): void {
    const { former } = this.clock
    if (former !== undefined && former.of(run.key) >= this.closeAt(start)) return
    let state: unknown
    try {
      state = run.state()
    } catch (error) {
      this.ctx.fail(error, this.stepId, { key: run.key, window: { start, end: this.windows.endOf(start) } })
      return
    }
    // what is gone was never shown, where there are no ticks
    if (state !== undefined || this.ticks !== undefined) this.emit(run.key, start, state, run.ts)
  }

  /** All windows before this one are closed. */
  private settle(open: number): void {
    const { table } = this
    let [pane] = table.liveStarts
    for (; pane !== undefined && pane < open; [pane] = table.liveStarts) this.drop(pane)
    this.next = pane === undefined ? Number.POSITIVE_INFINITY : Math.max(open, this.panes.firstEndingAfter(pane))
  }

  private drop(pane: number): void {
    if (this.current !== undefined && this.current.start === pane) this.current = undefined
    this.table.drop(pane)
  }

  /** A tick from outside: until a window closes there is nothing to show. */
  showAll(): void {}

  private firstOpen(): number {
    return this.panes.firstEndingAfter(this.clock.w - this.grace + 1)
  }

  /** After a restore: which windows are open follows from W. */
  private resume(): void {
    if (this.table.liveStarts.length > 0) this.settle(this.firstOpen())
  }
}
