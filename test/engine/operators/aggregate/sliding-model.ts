import type { EmitSpec } from '../../../../src/dsl/plan/index.ts'
import type { Out } from '../rig.ts'

interface Kept {
  readonly value: number
  readonly ts: number
  /** Order of arrival. */
  readonly seq: number
}

interface Row {
  readonly key: string
  readonly start: number
  state: number[] | undefined
  ts: number
  changed: boolean
  shown: number[] | undefined
  out: boolean
}

export interface SlidingModelOptions {
  readonly d: number
  readonly grace: number
  readonly emit: EmitSpec
  readonly needsOld: boolean
  readonly bound: number
  /** Values after which nothing is left. */
  readonly vanishes: (value: number) => boolean
}

/**
 * Sliding windows by their definition: all records are kept for ever. Each has a window that ends with it and, if that is
 * not empty, one that begins behind it; what is in a window is folded anew.
 */
export class SlidingModel {
  readonly outs: Out[] = []
  readonly lates: unknown[] = []
  private readonly records = new Map<string, Kept[]>()
  private readonly rows: Row[] = []
  private w = Number.NEGATIVE_INFINITY
  private max = Number.NEGATIVE_INFINITY
  private seq = 0
  private readonly options: SlidingModelOptions

  constructor(options: SlidingModelOptions) {
    this.options = options
  }

  send(key: string, value: number, ts: number): void {
    const { d, emit, bound } = this.options
    const before = this.records.get(key) ?? []
    const after = [...before, { value, ts, seq: this.seq++ }]
    const holding = this.windowsOf(after).filter((start) => start <= ts && ts <= start + d)
    if (holding.every((start) => this.closeAt(start) <= this.w)) this.lates.push([key, value, ts])
    else {
      this.records.set(key, after)
      const known = new Set(this.windowsOf(before))
      for (const start of this.windowsOf(after)) {
        if (this.closeAt(start) <= this.w || (known.has(start) && !holding.includes(start))) continue
        const inside = after.filter((one) => one.ts >= start && one.ts <= start + d)
        let row = this.rows.find((one) => one.key === key && one.start === start)
        if (row === undefined) {
          row = { key, start, state: undefined, ts: 0, changed: false, shown: undefined, out: false }
          this.rows.push(row)
        }
        const old = row.state
        row.state = this.fold(inside)
        row.ts = Math.max(...inside.map((one) => one.ts))
        row.changed = true
        if (emit.mode === 'update' && (old !== undefined || row.state !== undefined)) this.out(row, old)
        else if (emit.mode === 'onTime' && start + d <= this.w) this.show(row)
      }
    }
    this.max = Math.max(this.max, ts)
    this.advance(this.max - bound - 1)
  }

  advance(w: number): void {
    for (;;) {
      const at = Math.min(...this.rows.map((row) => this.dueOf(row)))
      if (at > w || at === Number.POSITIVE_INFINITY) break
      const due = this.rows.filter((row) => this.dueOf(row) <= at)
      due.sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1))
      for (const row of due) this.show(row)
      this.w = Math.max(this.w, at - 1)
    }
    this.w = Math.max(this.w, w)
  }

  private windowsOf(records: readonly Kept[]): number[] {
    const { d } = this.options
    const starts = new Set<number>()
    for (const { ts } of records) {
      starts.add(Math.max(0, ts - d))
      if (records.some((other) => other.ts > ts && other.ts <= ts + 1 + d)) starts.add(ts + 1)
    }
    return [...starts].sort((a, b) => a - b)
  }

  private fold(records: readonly Kept[]): number[] | undefined {
    let state: number[] | undefined
    for (const { value } of [...records].sort((a, b) => a.seq - b.seq))
      state = this.options.vanishes(value) ? undefined : [...(state ?? []), value]
    return state
  }

  private closeAt(start: number): number {
    return start + this.options.d + this.options.grace
  }

  private dueOf({ changed, start }: Row): number {
    const { emit, d } = this.options
    if (!changed || emit.mode === 'update') return Number.POSITIVE_INFINITY
    if (emit.mode !== 'every') return emit.mode === 'close' ? this.closeAt(start) : start + d
    let tick = emit.interval * Math.floor((Math.max(this.w, start - 1) + 1) / emit.interval) - 1
    while (tick <= this.w || tick < start) tick += emit.interval
    return Math.min(this.closeAt(start), tick)
  }

  private show(row: Row): void {
    const { shown, out, state } = row
    row.changed = false
    row.shown = state
    row.out = state !== undefined
    if (state !== undefined || out) this.out(row, shown)
  }

  private out({ key, start, state, ts }: Row, old: number[] | undefined): void {
    this.outs.push({
      key,
      window: [start, start + this.options.d],
      value: state === undefined ? null : { all: state },
      old: this.options.needsOld && old !== undefined ? { all: old } : undefined,
      ts,
    })
  }
}
