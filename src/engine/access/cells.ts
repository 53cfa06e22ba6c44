import type { Cells, DueTable } from '../../state/stores/index.ts'

interface CellRow {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number }
}
type Rows = Iterable<readonly [CellRow, unknown]>

/** Sliding and count windows as user code sees them: they belong to their step. `fetch` finds those that start in [from, to]. */
export class CellAccess {
  private readonly table: DueTable<Cells>
  private readonly endOf: (start: number) => number
  private readonly show: (state: unknown) => unknown

  constructor(table: DueTable<Cells>, endOf: (start: number) => number, show: (state: unknown) => unknown) {
    this.table = table
    this.endOf = endOf
    this.show = show
  }

  *fetch(key: unknown, from: number, to: number): Rows {
    yield* this.rowsOf(key, this.table.rows.load(key).value as Cells | undefined, from, to)
  }

  /** By start, then by key. */
  *fetchAll(from: number, to: number): Rows {
    const rows: (readonly [CellRow, unknown])[] = []
    for (const { key, value } of this.table.rows.scan()) rows.push(...this.rowsOf(key, value as Cells, from, to))
    yield* rows.sort((a, b) => a[0].window.start - b[0].window.start)
  }

  get(key: unknown, start: number): unknown {
    for (const [, value] of this.fetch(key, start, start)) return value
    return undefined
  }

  private *rowsOf(key: unknown, row: Cells | undefined, from: number, to: number): Rows {
    for (const { start, state, ghost } of [...(row?.cells ?? [])]) {
      if (start < from || start > to || state === undefined || ghost) continue
      yield [{ key, window: { start, end: this.endOf(start) } }, this.show(state)]
    }
  }
}
