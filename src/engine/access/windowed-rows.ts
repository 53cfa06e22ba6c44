import type { KeyValueTable } from '../../state/stores/index.ts'

interface WindowedRow {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number }
}
type Rows = Iterable<readonly [WindowedRow, unknown]>

/** Rows of a table step behind windows, which are kept by (key, window), as user code sees them. */
export class WindowedRowsAccess {
  private readonly table: KeyValueTable

  constructor(table: KeyValueTable) {
    this.table = table
  }

  *fetch(key: unknown, from: number, to: number): Rows {
    const { keys } = this.table.space
    for (const row of this.fetchAll(from, to)) if (keys.compare(row[0].key, key) === 0) yield row
  }

  /** By start, then by key. */
  *fetchAll(from: number, to: number): Rows {
    const { compare } = this.table.space.keys
    const found: (readonly [WindowedRow, unknown])[] = []
    for (const { key, value } of this.table.scan()) {
      const { start } = (key as WindowedRow).window
      if (start >= from && start <= to) found.push([key as WindowedRow, value])
    }
    yield* found.sort((a, b) => a[0].window.start - b[0].window.start || compare(a[0].key, b[0].key))
  }

  get(key: unknown, start: number): unknown {
    for (const [, value] of this.fetch(key, start, start)) return value
    return undefined
  }
}
