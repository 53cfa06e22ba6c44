import type { DuePane, WindowTable } from '../../../state/stores/index.ts'
import type { WindowAssigner } from '../../time/window-assigner.ts'
import type { TaskClock } from '../../time/clock.ts'
import type { PaneGrid } from '../../time/panes.ts'
import { type PaneMerge, type PaneRun, PaneRuns } from './pane-runs.ts'

type Show = (run: PaneRun, start: number) => void

/** The panes of a key that changed, and whose windows have not all shown it. */
class Changed {
  readonly key: unknown
  /** By start, the first tick after the change. */
  readonly dues = new Map<number, number>()
  /** For the length of a tick: its panes, ascending; those before `from` are in no window any more. */
  starts: number[] = []
  private from = 0

  constructor(key: unknown) {
    this.key = key
  }

  arrange(): void {
    this.starts = [...this.dues.keys()].sort((a, b) => a - b)
    this.from = 0
  }

  /** Is a window to be shown at a tick? Windows are asked for in the order of their starts. @param first the first tick of the window */
  isDue(start: number, end: number, first: number, at: number): boolean {
    const { starts, dues } = this
    while (this.from < starts.length && (starts[this.from] as number) < start) this.from++
    for (let i = this.from; i < starts.length && (starts[i] as number) < end; i++)
      if (Math.max(first, dues.get(starts[i] as number) as number) === at) return true
    return false
  }

  /** Has a window a change that no tick up to `at` has shown? */
  waits(start: number, end: number, first: number, at: number): boolean {
    for (const [pane, due] of this.dues) if (pane >= start && pane < end && (first > at || due > at)) return true
    return false
  }
}

/**
 * Which windows show what at which tick, where panes are kept and not windows. A window that begins at s shows a change of
 * one of its panes at the later of two ticks: the first one after the change, and the first one after s - 1. The former is
 * kept in the pane's row, the latter follows from the window, so that a tick writes nothing.
 *
 * At a tick the windows of those keys that changed are put together from the first to the last by one slide over their
 * panes: a window costs the merges of PaneRun, and not those of all its panes.
 */
export class PaneTicks {
  next = Number.POSITIVE_INFINITY
  private readonly table: WindowTable
  private readonly windows: WindowAssigner & { readonly panes: PaneGrid }
  private readonly how: PaneMerge
  private readonly interval: number
  private readonly clock: TaskClock
  private readonly firstOpen: () => number
  private readonly show: Show
  /** null: not known, as after a restore. */
  private changes: Map<string | number, Changed> | null = null

  constructor(
    table: WindowTable,
    windows: WindowAssigner & { readonly panes: PaneGrid },
    how: PaneMerge,
    interval: number,
    clock: TaskClock,
    firstOpen: () => number,
    show: Show,
  ) {
    this.table = table
    this.windows = windows
    this.how = how
    this.interval = interval
    this.clock = clock
    this.firstOpen = firstOpen
    this.show = show
    const [pane] = table.liveStarts
    if (pane !== undefined) this.next = this.tickOf(pane, this.tickAfter(clock.w))
  }

  /** A pane was changed, and is to be stored after that. */
  changed(start: number, key: unknown, pane: DuePane): void {
    const due = this.tickAfter(this.clock.wOf(key))
    if (pane.due === due) return
    pane.due = due
    if (this.changes !== null) this.note(this.changes, start, key, due)
    const at = this.tickOf(start, due)
    if (at >= this.next) return
    this.next = at
    this.clock.notice(at)
  }

  /** Shows what is due at a tick, in the order of (start, key). */
  fire(at: number): void {
    const { windows, table, how } = this
    const { keys } = table.space
    const changes = this.known()
    const { former } = this.clock
    const open = this.firstOpen()
    let start = Number.POSITIVE_INFINITY
    let last = -1
    for (const one of changes.values()) {
      one.arrange()
      const [first] = one.starts as [number]
      start = Math.min(start, Math.max(open, windows.panes.firstEndingAfter(first)))
      last = Math.max(last, windows.lastStart(Math.min(at, one.starts.at(-1) as number)))
    }
    const runs = new PaneRuns(
      table,
      how,
      Array.from(changes.values(), ({ key }) => key),
    )
    for (; start <= last; start = windows.next(start)) {
      const end = windows.endOf(start)
      const first = this.firstTick(start)
      for (const run of runs.slide(start, end)) {
        const one = changes.get(keys.id(run.key)) as Changed
        if (one.isDue(start, end, first, at) && (former === undefined || former.of(run.key) < at)) this.show(run, start)
      }
    }
    this.forget(changes, at)
  }

  /** Has this window of a key changed since it was last shown? Asked when it closes, behind the ticks up to then. */
  waits(key: unknown, start: number, end: number, at: number): boolean {
    const changed = this.known().get(this.table.space.keys.id(key))
    return changed !== undefined && changed.waits(start, end, this.firstTick(start), at)
  }

  /** What all windows have shown. */
  private forget(changes: Map<string | number, Changed>, at: number): void {
    const { windows } = this
    const open = this.firstOpen()
    const begun = windows.lastStart(at)
    // no window begins before 0
    const after = begun > at ? begun : windows.next(begun)
    this.next = Number.POSITIVE_INFINITY
    for (const [id, { dues }] of changes) {
      for (const [pane, due] of dues) {
        if (pane < open || this.until(pane, due) <= at) {
          dues.delete(pane)
          continue
        }
        const start = Math.max(windows.panes.firstEndingAfter(pane), after)
        this.next = Math.min(this.next, Math.max(due, this.firstTick(start)))
      }
      if (dues.size === 0) changes.delete(id)
    }
  }

  private known(): Map<string | number, Changed> {
    if (this.changes !== null) return this.changes
    const changes = new Map<string | number, Changed>()
    for (const start of this.table.liveStarts) {
      for (const { key, value } of this.table.live(start)) {
        const { due } = value as DuePane
        if (this.until(start, due) > this.clock.w) this.note(changes, start, key, due)
      }
    }
    this.changes = changes
    return changes
  }

  private note(changes: Map<string | number, Changed>, start: number, key: unknown, due: number): void {
    const id = this.table.space.keys.id(key)
    let changed = changes.get(id)
    if (changed === undefined) changes.set(id, (changed = new Changed(key)))
    changed.dues.set(start, due)
  }

  /** The first tick at which a window shows a change of a pane; before W has a value, `due` is none. */
  private tickOf(pane: number, due: number): number {
    const first = Math.max(this.firstOpen(), this.windows.panes.firstEndingAfter(pane))
    return Math.max(due, this.firstTick(first))
  }

  /** The tick at which the last window that a pane is in shows its change. */
  private until(pane: number, due: number): number {
    return Math.max(due, this.firstTick(this.windows.lastStart(pane)))
  }

  /** Of a window: before it has begun it is not shown. */
  private firstTick(start: number): number {
    return this.tickAfter(start - 1)
  }

  private tickAfter(t: number): number {
    return (Math.floor((t + 1) / this.interval) + 1) * this.interval - 1
  }
}
