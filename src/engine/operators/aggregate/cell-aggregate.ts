import type { AggregateSpec, EmitSpec, UserFn } from '../../../dsl/plan/index.ts'
import type { Cell, Cells, DueTable, Entry } from '../../../state/stores/index.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import { type Fold, foldOf } from './aggregate.ts'
import { Grouped } from './grouped.ts'
import { type Emit, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'

interface DueCell {
  readonly entry: Entry
  readonly cell: Cell
}

/** How far apart the stretches of the timer index lie, ms: many keys share one. */
export const cellSpan = (reach: number): number => Math.max(1, Math.ceil(reach / 16))

/**
 * Aggregates over windows that depend on the records of their key: sliding and count windows. All windows of a key are one
 * row; when something is due for one of them the key is looked at. Subclasses know which windows a record belongs to.
 */
export abstract class CellAggregate extends Grouped implements Timed {
  readonly stepId: number
  out: EmitChange = noEmit
  late: Emit | undefined = undefined
  /** Told under `every` that something has changed, where ticks come from outside. */
  onChange: (() => void) | undefined = undefined
  /** Keys that changed since the last tick from outside; null: not known, as after a restore. */
  private touched: Set<unknown> | null = null
  protected readonly table: DueTable<Cells>
  protected readonly mode: EmitSpec['mode']
  private readonly interval: number
  protected readonly start: Fold['start']
  protected readonly add: Fold['add']
  private readonly result: UserFn | undefined
  protected readonly copy: (value: unknown) => unknown
  protected readonly copyState: boolean
  protected readonly careful: boolean
  /** States that a record has already made, of the windows that are still to get them. */
  protected ahead: unknown[] | undefined = undefined
  protected readonly needsOld: boolean
  protected readonly copyOld: boolean
  protected readonly clock: TaskClock

  constructor(
    stepId: number,
    name: string,
    spec: AggregateSpec,
    emit: EmitSpec,
    table: DueTable<Cells>,
    needsOld: boolean,
    ctx: OperatorContext,
  ) {
    super(name, ctx)
    const { start, add, result } = foldOf(spec)
    this.stepId = stepId
    this.table = table
    this.mode = emit.mode
    this.interval = emit.mode === 'every' ? emit.interval : 0
    this.start = start
    this.add = add
    this.result = result
    this.copy = ctx.copy
    this.copyState = ctx.careful && !spec.pure
    this.careful = ctx.careful
    this.needsOld = needsOld
    this.copyOld = needsOld && !spec.pure
    this.clock = ctx.clock
  }

  process(key: unknown, value: unknown, ts: number, port: number): void {
    if (this.lacks(key, value)) return
    this.take(this.table.rows.load(key), value, ts, port)
  }

  /** A record of a key. */
  protected abstract take(entry: Entry, value: unknown, ts: number, port: number): void
  /** End of a window, as it is reported. */
  abstract endOf(cell: Cell): number
  /** When a window that changed since then is shown by time. */
  protected abstract showAt(cell: Cell): number
  /** When a window is forgotten. */
  protected abstract forgetAt(cell: Cell): number
  /** What else of the row time takes away. @returns when there is more of it */
  protected abstract trim(row: Cells, at: number): number

  /** A value into one window. `fresh`: it has no row yet. */
  protected update(cell: Cell, key: unknown, value: unknown, ts: number, port: number, fresh: boolean): void {
    const { state } = cell
    const old = fresh || state === undefined || !this.needsOld ? undefined : this.copyOld ? this.copy(state) : state
    const next =
      this.ahead !== undefined
        ? this.ahead.shift()
        : state === undefined
          ? this.start(value, key, port, ts)
          : this.add(this.copyState ? this.copy(state) : state, value, key, port, ts)
    const gone = next === null || next === undefined
    cell.state = gone ? undefined : next
    if (ts > cell.ts) cell.ts = ts
    this.changed(cell, key, old, gone && (fresh || state === undefined))
  }

  /** What a value makes of several windows, before any of them is changed: if user code throws for one, none is. */
  protected statesOf(cells: readonly Cell[], key: unknown, value: unknown, ts: number, port: number): unknown[] {
    const { copy, copyState } = this
    return cells.map(({ state }) =>
      state === undefined
        ? this.start(value, key, port, ts)
        : this.add(copyState ? copy(state) : state, value, key, port, ts),
    )
  }

  /** @param nothing was there, nor is now */
  protected changed(cell: Cell, key: unknown, old: unknown, nothing: boolean): void {
    if (cell.ghost) return
    cell.pending = true
    if (this.onChange !== undefined) {
      this.touched?.add(key)
      this.onChange()
    }
    if (this.mode === 'update') {
      if (!nothing) this.emit(key, cell, cell.state, old)
    } else if (this.mode === 'onTime' && this.showAt(cell) <= this.clock.wOf(key)) this.show(key, cell)
  }

  protected emit(key: unknown, cell: Cell, state: unknown, old: unknown): void {
    const { result } = this
    const row = state === undefined ? null : result === undefined ? state : result(state)
    const before = old === undefined || result === undefined ? old : result(old)
    this.out({ key, window: { start: cell.start, end: this.endOf(cell) } }, row, before, cell.ts)
  }

  /** By time: what it is now, in the place of the row that is out. */
  protected show(key: unknown, cell: Cell): void {
    const { state, shown, out } = cell
    cell.pending = false
    cell.out = state !== undefined
    cell.shown = state !== undefined && this.needsOld ? (this.copyOld ? this.copy(state) : state) : undefined
    if (state !== undefined || out) this.emit(key, cell, state, shown)
  }

  protected keep(entry: Entry, row: Cells, ts: number): void {
    const at = this.dueOf(row)
    if (this.table.keep(entry, row, row, ts > entry.ts ? ts : entry.ts, at)) this.clock.notice(at)
  }

  nextAt(): number {
    return this.table.nextAt()
  }

  fire(at: number): void {
    const entries = this.table.take(at)
    const due: DueCell[] = []
    for (const entry of entries) {
      for (const cell of (entry.value as Cells).cells)
        if (cell.pending && this.showAt(cell) <= at) due.push({ entry, cell })
    }
    // all of them are due at this very time, so the order of (closeAt, start, key) is that of (start, key)
    const { compare } = this.table.rows.space.keys
    due.sort((a, b) => a.cell.start - b.cell.start || compare(a.entry.key, b.entry.key))
    for (const { entry, cell } of due) this.show(entry.key, cell)
    for (const entry of entries) this.sweep(entry, at)
    this.table.forget(at)
  }

  /** A tick from outside: shows all that has changed. */
  showAll(): void {
    const { rows } = this.table
    const keys = this.touched === null ? Array.from(rows.scan(), ({ key }) => key) : [...this.touched]
    this.touched = new Set()
    const due: DueCell[] = []
    for (const key of keys) {
      const entry = rows.load(key)
      for (const cell of (entry.value as Cells | undefined)?.cells ?? []) if (cell.pending) due.push({ entry, cell })
    }
    const { compare } = rows.space.keys
    due.sort((a, b) => a.cell.start - b.cell.start || compare(a.entry.key, b.entry.key))
    for (const { entry, cell } of due) this.show(entry.key, cell)
    for (const entry of new Set(due.map(({ entry }) => entry))) this.sweep(entry, this.clock.w)
  }

  private sweep(entry: Entry, at: number): void {
    const row = entry.value as Cells
    const { cells } = row
    let live = 0
    for (const cell of cells) if (this.forgetAt(cell) > at) cells[live++] = cell
    cells.length = live
    const more = this.trim(row, at)
    const empty = live === 0 && row.marks.length === 0
    this.table.keep(entry, empty ? undefined : row, row, entry.ts, Math.min(more, this.dueOf(row)))
  }

  private dueOf({ cells }: Cells): number {
    let at = Number.POSITIVE_INFINITY
    for (const cell of cells) {
      const next = Math.min(this.forgetAt(cell), cell.pending ? this.showAt(cell) : Number.POSITIVE_INFINITY)
      if (next < at) at = next
    }
    return at
  }

  /** The first tick after W, of those that do not come before `from`. */
  protected tickAfter(from: number): number {
    const after = Math.max(this.clock.w, from - 1)
    return (Math.floor((after + 1) / this.interval) + 1) * this.interval - 1
  }
}
