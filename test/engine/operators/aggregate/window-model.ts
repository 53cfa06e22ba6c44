import { Temporal } from 'temporal-polyfill'
import type { EmitSpec } from '../../../../src/dsl/plan/index.ts'
import type { Out } from '../rig.ts'

type Span = readonly [start: number, end: number]

/** All windows that hold t. */
export type WindowsOf = (t: number) => Span[]

/** Every multiple of the advance is tried. */
export const fixed =
  (size: number, advance: number, offset: number): WindowsOf =>
  (t) => {
    const found: Span[] = []
    for (let start = (offset % advance) - advance; start <= t; start += advance) {
      const cut = start < 0 && offset % advance > 0 ? 0 : start
      if (cut >= 0 && t < start + size) found.push([cut, start + size])
    }
    return found
  }

/** Each window of a period grows by a step. */
export const growing =
  (max: number, step: number, offset: number): WindowsOf =>
  (t) =>
    fixed(
      max,
      max,
      offset,
    )(t).flatMap(([start, end]) => {
      const found: Span[] = []
      for (let to = start + step; to < end + step; to += step) if (to > t) found.push([start, Math.min(to, end)])
      return found
    })

export const days =
  (timeZone: string): WindowsOf =>
  (t) => {
    const day = Temporal.Instant.fromEpochMilliseconds(t).toZonedDateTimeISO(timeZone).startOfDay()
    return [[day.epochMilliseconds, day.add({ days: 1 }).startOfDay().epochMilliseconds]]
  }

interface Row {
  readonly key: string
  readonly window: Span
  values: number[] | undefined
  ts: number
  changed: boolean
  shown: unknown
  onTime: boolean
}

export interface WindowModelOptions {
  readonly windowsOf: WindowsOf
  readonly grace: number
  readonly emit: EmitSpec
  readonly needsOld: boolean
  readonly bound: number
  /** Values after which nothing is left. */
  readonly vanishes: (value: number) => boolean
}

/** Windows by the book: all rows of all windows in one list, searched for whatever is asked. */
export class WindowModel {
  readonly outs: Out[] = []
  readonly lates: unknown[] = []
  private rows: Row[] = []
  private w = Number.NEGATIVE_INFINITY
  private max = Number.NEGATIVE_INFINITY
  private readonly options: WindowModelOptions

  constructor(options: WindowModelOptions) {
    this.options = options
  }

  send(key: string, value: number, ts: number): void {
    const windows = this.options.windowsOf(ts).filter((window) => this.closeAt(window) > this.w)
    for (const window of windows) this.add(key, window, value, ts)
    if (windows.length === 0) this.lates.push([key, value, ts])
    this.max = Math.max(this.max, ts)
    this.advance(this.max - this.options.bound - 1)
  }

  advance(w: number): void {
    const { emit } = this.options
    for (;;) {
      const at = Math.min(...this.rows.map((row) => this.dueOf(row)))
      if (at > w || at === Number.POSITIVE_INFINITY) break
      this.w = Math.max(this.w, at - 1)
      this.rows.sort((a, b) => a.window[1] - b.window[1] || a.window[0] - b.window[0] || (a.key < b.key ? -1 : 1))
      if (emit.mode === 'every' && (at + 1) % emit.interval === 0)
        for (const row of this.rows) if (row.window[0] <= at && row.changed) this.show(row)
      for (const row of this.rows) {
        if (row.onTime || row.window[1] - 1 > at) continue
        row.onTime = true
        if (emit.mode === 'onTime') this.out(row, row.shown)
      }
      for (const row of this.rows) {
        if (this.closeAt(row.window) > at) continue
        if (emit.mode === 'close') this.out(row, undefined)
        else if (emit.mode === 'every' && row.changed) this.show(row)
      }
      this.rows = this.rows.filter(({ window }) => this.closeAt(window) > at)
    }
    this.w = Math.max(this.w, w)
  }

  private closeAt([, end]: Span): number {
    return end + this.options.grace - 1
  }

  private dueOf(row: Row): number {
    const { emit } = this.options
    const closeAt = this.closeAt(row.window)
    if (emit.mode === 'onTime' && !row.onTime) return row.window[1] - 1
    if (emit.mode !== 'every' || !row.changed) return closeAt
    let tick = emit.interval * Math.floor((Math.max(this.w, row.window[0] - 1) + 1) / emit.interval) - 1
    while (tick <= this.w || tick < row.window[0]) tick += emit.interval
    return Math.min(closeAt, tick)
  }

  private add(key: string, window: Span, value: number, ts: number): void {
    const { vanishes, emit } = this.options
    let row = this.rows.find((one) => one.key === key && one.window[0] === window[0] && one.window[1] === window[1])
    if (row === undefined) {
      const onTime = this.w >= window[1] - 1
      row = { key, window, values: undefined, ts, changed: false, shown: undefined, onTime }
      this.rows.push(row)
    }
    const old = row.values === undefined ? undefined : { all: [...row.values] }
    const empty = old === undefined && row.shown === undefined
    row.values = vanishes(value) ? undefined : [...(row.values ?? []), value]
    row.ts = empty ? ts : Math.max(row.ts, ts)
    row.changed = row.values !== undefined || row.shown !== undefined
    if (old === undefined && row.values === undefined) return
    if (emit.mode === 'update' || (emit.mode === 'onTime' && row.onTime)) this.out(row, old, true)
  }

  private show(row: Row): void {
    const { shown } = row
    row.changed = false
    row.shown = row.values === undefined ? undefined : { all: [...row.values] }
    this.out(row, shown, true)
  }

  private out({ key, window, values, ts }: Row, old: unknown, gone = false): void {
    if (values === undefined && !gone) return
    const value = values === undefined ? null : { all: [...values] }
    this.outs.push({ key, window, value, old: this.options.needsOld ? old : undefined, ts })
  }
}
