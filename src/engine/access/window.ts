import type { WindowTable } from '../../state/stores/index.ts'

interface WindowedRow {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number }
}
type Rows = Iterable<readonly [WindowedRow, unknown]>

/** A window store as user code sees it; `fetch` finds windows that start in [from, to]. */
export class WindowAccess {
  private readonly table: WindowTable
  private readonly windowOf: (start: number) => WindowedRow['window']
  private readonly show: (state: unknown) => unknown
  private readonly now: () => number

  /** @param windowOf the window of a start of the table */
  constructor(
    table: WindowTable,
    windowOf: (start: number) => WindowedRow['window'],
    show: (state: unknown) => unknown,
    now: () => number,
  ) {
    this.table = table
    this.windowOf = windowOf
    this.show = show
    this.now = now
  }

  *fetch(key: unknown, from: number, to: number): Rows {
    for (const start of [...this.table.liveStarts]) {
      const window = this.windowOf(start)
      if (window.start < from || window.start > to) continue
      const value = this.get(key, start)
      if (value !== undefined) yield [{ key, window }, value]
    }
  }

  *fetchAll(from: number, to: number): Rows {
    for (const start of [...this.table.liveStarts]) {
      const window = this.windowOf(start)
      const bucket = window.start < from || window.start > to ? undefined : this.table.peek(start)
      if (bucket === undefined) continue
      for (const entry of this.table.rows(bucket)) {
        const value = this.show(entry.value)
        if (value !== undefined) yield [{ key: entry.key, window }, value]
      }
    }
  }

  get(key: unknown, start: number): unknown {
    const value = this.table.peek(start)?.load(key).value
    return value === undefined ? undefined : this.show(value)
  }

  put(key: unknown, value: unknown, start: number): void {
    const bucket = this.table.bucket(start)
    this.table.set(bucket, bucket.load(key), value ?? undefined, this.now())
  }
}
