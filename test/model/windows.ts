import type { Fold, WindowShape } from './shape.ts'
import { type Emit, folded, type Item, type Key, noHeaders, type Row, type Stateful } from './steps.ts'

interface Cell {
  readonly key: string
  readonly start: number
  /** undefined: deleted, and the deletion is not out yet. */
  state: unknown
  ts: number
  /** Something happened since the last result. */
  changed: boolean
  /** The row that is out, where rows go out at ticks; undefined: none. */
  shown: unknown
  /** Its on-time result was due. */
  onTime: boolean
}

/** `aggregate` over tumbling and hopping windows, each cell on its own; W comes from outside. */
export class Windows implements Stateful {
  late = 0
  private cells: Cell[] = []
  private readonly fold: Fold
  private readonly shape: WindowShape
  private readonly w: () => number
  private readonly out: Emit
  private readonly tooLate: Emit

  constructor(fold: Fold, shape: WindowShape, w: () => number, out: Emit, tooLate: Emit) {
    this.fold = fold
    this.shape = shape
    this.w = w
    this.out = out
    this.tooLate = tooLate
  }

  take(item: Item, port: number): void {
    const { key, value, ts } = item
    if (key === null || key === undefined || value === null || value === undefined) return
    const { advance, size } = this.shape
    let taken = false
    for (let start = 0; start <= ts; start += advance) {
      if (ts >= start + size || this.closeAt(start) <= this.w()) continue
      taken = true
      this.add(start, item, port)
    }
    if (taken) return
    this.late++
    this.tooLate(item)
  }

  due(): number {
    let next = Number.POSITIVE_INFINITY
    for (const cell of this.cells) next = Math.min(next, this.closeAt(cell.start), this.resultAt(cell))
    return next
  }

  fire(at: number): void {
    const due = this.cells.filter((cell) => this.resultAt(cell) <= at).sort(order)
    for (const cell of due) this.show(cell)
    const closing = this.cells.filter((cell) => this.closeAt(cell.start) <= at).sort(order)
    for (const cell of closing) {
      const { emit } = this.shape
      if (emit === 'close' || (typeof emit === 'object' && cell.changed)) this.show(cell)
    }
    this.cells = this.cells.filter((cell) => !closing.includes(cell))
  }

  /** Of windows that are open. */
  rows(): Row[] {
    return this.cells
      .filter(({ state }) => state !== undefined)
      .sort(order)
      .map(({ key, start, state, ts }) => ({ key: this.keyOf(key, start), value: state, ts }))
  }

  private add(start: number, { key, value, ts, headers }: Item, port: number): void {
    let cell = this.cells.find((one) => one.start === start && one.key === key)
    if (cell === undefined) {
      const onTime = this.w() >= start + this.shape.size - 1
      cell = { key: key as string, start, state: undefined, ts: 0, changed: false, shown: undefined, onTime }
      this.cells.push(cell)
    }
    const before = cell.state
    const next = folded(this.fold, before, value, key, port) ?? undefined
    cell.state = next
    const at = Math.max(ts, cell.ts)
    cell.ts = at
    cell.changed = true
    const { emit } = this.shape
    const atOnce = emit === 'update' || (emit === 'onTime' && cell.onTime)
    if (atOnce && (next !== undefined || before !== undefined))
      this.out({ key: this.keyOf(key, start), value: copy(next ?? null), old: copy(before), ts: at, headers })
    if (atOnce) cell.changed = false
    if (next === undefined && cell.shown === undefined) this.cells.splice(this.cells.indexOf(cell), 1)
  }

  /** When a cell has a result that no record causes; closing apart. */
  private resultAt({ start, changed, onTime }: Cell): number {
    const { emit, size } = this.shape
    const never = Number.POSITIVE_INFINITY
    if (emit === 'onTime') return onTime ? never : start + size - 1
    if (typeof emit === 'string' || !changed) return never
    // the first tick that W has not reached, once the window has begun; ticks are one millisecond before a multiple
    const after = Math.max(this.w(), start - 1)
    const reached = Math.floor((after + 1) / emit.every)
    return (reached + 1) * emit.every - 1
  }

  private show(cell: Cell): void {
    const { key, start, state, shown, ts } = cell
    cell.changed = false
    cell.onTime = true
    cell.shown = typeof this.shape.emit === 'object' ? copy(state) : undefined
    if (state !== undefined || shown !== undefined)
      this.out({ key: this.keyOf(key, start), value: copy(state ?? null), old: shown, ts, headers: noHeaders })
    if (state === undefined) this.cells = this.cells.filter((one) => one !== cell)
  }

  private keyOf(key: Key, start: number) {
    return { key, window: { start, end: start + this.shape.size } }
  }

  private closeAt(start: number): number {
    return start + this.shape.size + this.shape.grace - 1
  }
}

const order = (a: Cell, b: Cell): number => a.start - b.start || (a.key < b.key ? -1 : 1)
const copy = <T>(value: T): T => structuredClone(value)
