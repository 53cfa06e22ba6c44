import type { Fold, SessionShape } from './shape.ts'
import { type Emit, folded, type Item, merged, noHeaders, type Row, type Stateful } from './steps.ts'

interface Shown {
  readonly start: number
  readonly end: number
  readonly state: unknown
}

interface Session extends Shown {
  readonly key: string
  readonly state: unknown
  /** Rows of it, or of what became it, that are out. */
  shown: readonly Shown[]
  /** Something happened since the last result. */
  changed: boolean
}

/** `aggregate` over sessions: one list of all that are open, searched for whatever is asked. */
export class SessionWindows implements Stateful {
  late = 0
  private open: Session[] = []
  private readonly fold: Fold
  private readonly shape: SessionShape
  private readonly w: () => number
  private readonly out: Emit
  private readonly tooLate: Emit

  constructor(fold: Fold, shape: SessionShape, w: () => number, out: Emit, tooLate: Emit) {
    this.fold = fold
    this.shape = shape
    this.w = w
    this.out = out
    this.tooLate = tooLate
  }

  take(item: Item, port: number): void {
    const { key, value, ts, headers } = item
    if (key === null || key === undefined || value === null || value === undefined) return
    const { gap, emit } = this.shape
    const touching = this.open
      .filter((one) => one.key === key && ts <= one.end + gap && one.start <= ts + gap)
      .sort((a, b) => a.start - b.start)
    if (touching.length === 0 && this.closeAt({ end: ts }) <= this.w()) {
      this.late++
      this.tooLate(item)
      return
    }
    const [first, ...rest] = touching
    const before = rest.reduce((state, one) => merged(this.fold, state, one.state), first?.state)
    const state = folded(this.fold, before, value, key, port) ?? undefined
    this.open = this.open.filter((one) => !touching.includes(one))
    const rows = touching.flatMap((one): readonly Shown[] => (emit === 'update' ? [one] : one.shown))
    const [start, end] = [
      Math.min(ts, ...touching.map((one) => one.start)),
      Math.max(ts, ...touching.map((one) => one.end)),
    ]
    const session: Session = { key: key as string, start, end, state, shown: rows, changed: true }
    if (state === undefined) {
      for (const row of rows) this.send(session, row, null, headers)
      return
    }
    this.open.push(session)
    if (emit === 'update' || (emit === 'onTime' && end + gap <= this.w())) this.show(session, headers)
  }

  due(): number {
    return Math.min(...this.open.map((one) => this.dueOf(one)))
  }

  fire(at: number): void {
    const due = this.open
      .filter((one) => this.dueOf(one) <= at)
      .sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1))
    for (const one of due) if (this.shape.emit !== 'update' && one.changed) this.show(one, noHeaders)
    this.open = this.open.filter((one) => this.closeAt(one) > at)
  }

  rows(): Row[] {
    return this.open.map(({ key, start, end, state }) => ({
      key: { key, window: { start, end } },
      value: state,
      ts: end,
    }))
  }

  private closeAt({ end }: { readonly end: number }): number {
    return end + this.shape.gap + this.shape.grace
  }

  private dueOf(one: Session): number {
    const { emit, gap } = this.shape
    const closeAt = this.closeAt(one)
    if (!one.changed || emit === 'update' || emit === 'close') return closeAt
    if (emit === 'onTime') return one.end + gap
    let tick = emit.every - 1
    while (tick < one.start || tick <= this.w()) tick += emit.every
    return Math.min(closeAt, tick)
  }

  /** Takes back the rows that are out, unless the new one takes their place. */
  private show(one: Session, headers: Item['headers']): void {
    const stays = this.shape.emit !== 'update' || one.start === one.end
    const same = one.shown.find(({ start, end }) => stays && start === one.start && end === one.end)
    for (const row of one.shown) if (row !== same) this.send({ ...one, end: row.end }, row, null, headers)
    this.send(one, { start: one.start, end: one.end, state: same?.state }, one.state, headers)
    one.changed = false
    one.shown = [structuredClone({ start: one.start, end: one.end, state: one.state })]
  }

  private send(
    { key, end: ts }: Session,
    { start, end, state }: Shown,
    value: unknown,
    headers: Item['headers'],
  ): void {
    const copies = structuredClone({ value, old: state })
    this.out({ key: { key, window: { start, end } }, ...copies, ts, headers })
  }
}
