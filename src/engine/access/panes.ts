import type { WindowTable } from '../../state/stores/index.ts'
import { type PaneMerge, PaneRuns } from '../operators/aggregate/pane-runs.ts'
import type { WindowAssigner } from '../time/window-assigner.ts'
import type { PaneGrid } from '../time/panes.ts'

interface WindowedRow {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number }
}
type Rows = Iterable<readonly [WindowedRow, unknown]>

/** A window store that keeps panes, as user code sees it: windows are put together when they are asked for. */
export class PaneAccess {
  private readonly table: WindowTable
  private readonly windows: WindowAssigner & { readonly panes: PaneGrid }
  private readonly how: PaneMerge
  private readonly show: (state: unknown) => unknown

  constructor(
    table: WindowTable,
    windows: WindowAssigner & { readonly panes: PaneGrid },
    how: PaneMerge,
    show: (state: unknown) => unknown,
  ) {
    this.table = table
    this.windows = windows
    this.how = how
    this.show = show
  }

  fetch(key: unknown, from: number, to: number): Rows {
    return this.rows(from, to, key)
  }

  fetchAll(from: number, to: number): Rows {
    return this.rows(from, to)
  }

  get(key: unknown, start: number): unknown {
    if (this.windows.lastStart(start) !== start) return undefined
    for (const [, value] of this.rows(start, start, key)) return value
    return undefined
  }

  private *rows(from: number, to: number, key?: unknown): Generator<readonly [WindowedRow, unknown]> {
    const { table, windows, how } = this
    const runs = new PaneRuns(table, how, key === undefined ? undefined : [key])
    let start = Math.max(table.floor(), windows.panes.firstEndingAfter(from))
    while (start < from) start = windows.next(start)
    for (; start <= to; start = windows.next(start)) {
      const pane = table.liveStarts.find((one) => one >= start)
      if (pane === undefined) return
      start = Math.max(start, windows.panes.firstEndingAfter(pane))
      if (start > to) return
      const window = { start, end: windows.endOf(start) }
      for (const run of runs.slide(start, window.end)) {
        const state = run.state()
        const value = state === undefined ? undefined : this.show(state)
        if (value !== undefined) yield [{ key: run.key, window }, value]
      }
    }
  }
}
