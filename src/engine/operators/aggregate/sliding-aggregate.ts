import type { AggregateSpec, EmitSpec } from '../../../dsl/plan/index.ts'
import { type Cell, Cells, type DueTable, type Entry } from '../../../state/stores/index.ts'
import { CellAggregate } from './cell-aggregate.ts'
import type { Counter, OperatorContext } from '../operator.ts'

/**
 * Kafka Streams' sliding windows (KIP-450): windows of d + 1 milliseconds, both ends inclusive, aligned to the records. Each
 * record at t ends a window [t - d, t]; and it begins one behind it, [t + 1, t + 1 + d], as soon as that holds a record.
 *
 *     d = 4      a at 2   b at 4   c at 9
 *     [0, 4]   ──a────────b                     a's (cut at 0) and b's own window
 *     [3, 7]            ──b─────                behind a
 *     [5, 9]                  ────────c         c's own, which is also the one behind b
 *
 * So every set of records of a key that lie within d is some window's content, once. Of the windows that a record makes,
 * those that are not empty otherwise begin as a copy of a neighbour that holds the same records: no record is kept.
 *
 * A window closes at W >= start + d + grace. It is kept for d more: windows that are still open may have to be made from
 * it, so that it goes on taking records, unseen (`ghost`, where it was not there when it closed).
 */
export class SlidingAggregate extends CellAggregate {
  private readonly d: number
  private readonly grace: number
  private readonly kept: number
  private readonly lateCount: Counter
  /** W for the key of the record at hand. */
  private w = Number.NEGATIVE_INFINITY

  /** @param retention how long closed windows are kept for queries, ms */
  constructor(
    stepId: number,
    name: string,
    spec: AggregateSpec,
    windows: { readonly difference: number; readonly grace: number },
    retention: number,
    emit: EmitSpec,
    table: DueTable<Cells>,
    needsOld: boolean,
    ctx: OperatorContext,
  ) {
    super(stepId, name, spec, emit, table, needsOld, ctx)
    this.d = windows.difference
    this.grace = windows.grace
    this.kept = Math.max(retention, this.d)
    this.lateCount = ctx.dropped(name, 'late')
  }

  protected take(entry: Entry, value: unknown, ts: number, port: number): void {
    const { d } = this
    const row = (entry.value as Cells | undefined) ?? new Cells()
    const { cells, marks } = row
    const left = ts > d ? ts - d : 0
    let to = cells.length
    while (to > 0 && (cells[to - 1] as Cell).start > ts) to--
    let from = to
    while (from > 0 && (cells[from - 1] as Cell).start >= left) from--
    let after = marks.length
    while (after > 0 && (marks[after - 1] as number) > ts) after--
    const known = after > 0 && marks[after - 1] === ts
    const previous = marks[known ? after - 2 : after - 1]
    const behind = previous !== undefined && previous + 1 + d >= ts ? previous + 1 : -1
    const latest = Math.max(left, behind, to > from ? (cells[to - 1] as Cell).start : 0)
    this.w = this.clock.wOf(entry.key)
    if (latest + d + this.grace <= this.w) {
      this.lateCount.n++
      if (this.late !== undefined) this.late(entry.key, value, ts)
      return
    }
    const own = from < to && (cells[from] as Cell).start === left ? undefined : this.before(cells[from - 1], left)
    const right = known || cells[to]?.start === ts + 1 ? undefined : this.behind(cells[to - 1], ts)
    const was = this.careful ? { cells: [...cells], marks: [...marks] } : row
    if (!known) marks.splice(after, 0, ts)
    if (own !== undefined) cells.splice(from, 0, own)
    if (right !== undefined) {
      let at = cells.length
      while (at > 0 && (cells[at - 1] as Cell).start > ts) at--
      cells.splice(at, 0, right)
    }
    if (behind >= 0) this.open(cells, behind)
    let end = from
    while (end < cells.length && (cells[end] as Cell).start <= ts) end++
    if (this.careful) {
      try {
        this.ahead = this.statesOf(cells.slice(from, end), entry.key, value, ts, port)
      } catch (error) {
        cells.splice(0, cells.length, ...was.cells)
        marks.splice(0, marks.length, ...was.marks)
        throw error
      }
    }
    for (let i = from; i < end; i++) {
      const cell = cells[i] as Cell
      this.update(cell, entry.key, value, ts, port, cell.ts === Number.NEGATIVE_INFINITY)
    }
    this.ahead = undefined
    if (right !== undefined) this.changed(right, entry.key, undefined, right.state === undefined)
    this.keep(entry, row, ts)
  }

  /** The window that ends with a record: what the one before it holds from its start on, it holds too. */
  private before(neighbour: Cell | undefined, start: number): Cell {
    const same = neighbour !== undefined && neighbour.ts >= start
    return this.cell(start, same ? this.twin(neighbour.state) : undefined, Number.NEGATIVE_INFINITY)
  }

  /** The window behind a record, if later records are there already: the last that holds the record holds them too. */
  private behind(neighbour: Cell | undefined, ts: number): Cell | undefined {
    if (neighbour === undefined || neighbour.ts <= ts) return undefined
    return this.cell(ts + 1, this.twin(neighbour.state), neighbour.ts)
  }

  /** The window behind the record before, which has been empty until now. */
  private open(cells: Cell[], start: number): void {
    let at = cells.length
    while (at > 0 && (cells[at - 1] as Cell).start > start) at--
    if (at > 0 && (cells[at - 1] as Cell).start === start) return
    cells.splice(at, 0, this.cell(start, undefined, Number.NEGATIVE_INFINITY))
  }

  private cell(start: number, state: unknown, ts: number): Cell {
    const ghost = this.closeAt(start) <= this.w
    return { start, state, ts, pending: false, out: false, shown: undefined, ghost }
  }

  private twin(state: unknown): unknown {
    return state === undefined ? undefined : this.copy(state)
  }

  /** What a closed window becomes is for windows to come, not for anybody to see. */
  protected override changed(cell: Cell, key: unknown, old: unknown, nothing: boolean): void {
    if (this.closeAt(cell.start) > this.w) super.changed(cell, key, old, nothing)
  }

  private closeAt(start: number): number {
    return start + this.d + this.grace
  }

  endOf({ start }: Cell): number {
    return start + this.d
  }

  protected showAt({ start }: Cell): number {
    if (this.mode === 'close') return this.closeAt(start)
    if (this.mode === 'onTime') return start + this.d
    return this.mode === 'every' ? Math.min(this.closeAt(start), this.tickAfter(start)) : Number.POSITIVE_INFINITY
  }

  protected forgetAt({ start }: Cell): number {
    return this.clock.ended && this.kept > this.d ? Number.POSITIVE_INFINITY : this.closeAt(start) + this.kept
  }

  /** Records' times are asked for as long as the window behind them is. */
  protected trim({ marks }: Cells, at: number): number {
    const reach = 1 + this.d + this.grace + this.d
    let gone = 0
    while (gone < marks.length && (marks[gone] as number) + reach <= at) gone++
    if (gone > 0) marks.splice(0, gone)
    return marks.length === 0 ? Number.POSITIVE_INFINITY : (marks[0] as number) + reach
  }
}
