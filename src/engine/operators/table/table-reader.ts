import type { Cells, DueTable, KeyValueTable, VersionedTable, WindowTable } from '../../../state/stores/index.ts'

/** Reads rows of a table, be they stored or derived from stored ones. */
export interface TableReader {
  /** undefined: no such row. */
  get(key: unknown): unknown
  /** Timestamp of the row that the last `get` found. */
  readonly ts: number
  /** Of versioned tables: the row that held at a time. */
  asOf?(key: unknown, at: number): unknown
}

type Result = ((state: unknown) => unknown) | undefined

/** A row as others see it: of an aggregate, its result. */
const shown = (result: Result, state: unknown): unknown =>
  state === undefined || result === undefined ? state : result(state)

/** Rows of a versioned table. */
export class VersionedRows implements TableReader {
  ts = Number.NEGATIVE_INFINITY
  private readonly table: VersionedTable
  private readonly result: Result

  constructor(table: VersionedTable, result?: (state: unknown) => unknown) {
    this.table = table
    this.result = result
  }

  get(key: unknown): unknown {
    const entry = this.table.latest.load(key)
    this.ts = entry.ts
    return shown(this.result, entry.value)
  }

  asOf(key: unknown, at: number): unknown {
    const value = this.table.asOf(key, at)
    this.ts = this.table.foundAt
    return shown(this.result, value)
  }
}

/** Rows of a stored table, for joins with it. */
export class StoredRows implements TableReader {
  ts = Number.NEGATIVE_INFINITY
  private readonly table: KeyValueTable
  private readonly result: Result

  constructor(table: KeyValueTable, result?: (state: unknown) => unknown) {
    this.table = table
    this.result = result
  }

  get(key: unknown): unknown {
    const entry = this.table.load(key)
    this.ts = entry.ts
    return shown(this.result, entry.value)
  }
}

/** The rows of windows, each under its key and its window's start, until the window closes. */
export class WindowRows implements TableReader {
  ts = Number.NEGATIVE_INFINITY
  private readonly table: WindowTable
  private readonly result: Result

  constructor(table: WindowTable, result?: (state: unknown) => unknown) {
    this.table = table
    this.result = result
  }

  get(key: unknown): unknown {
    const { key: own, window } = key as { readonly key: unknown; readonly window: { readonly start: number } }
    const entry = this.table.peek(window.start)?.find(own)
    if (entry === undefined || entry.value === undefined) return undefined
    this.ts = entry.ts
    return shown(this.result, entry.value)
  }
}

/** The rows of sliding windows, likewise. */
export class CellRows implements TableReader {
  ts = Number.NEGATIVE_INFINITY
  private readonly table: DueTable<Cells>
  private readonly result: Result

  constructor(table: DueTable<Cells>, result?: (state: unknown) => unknown) {
    this.table = table
    this.result = result
  }

  get(key: unknown): unknown {
    const { key: own, window } = key as { readonly key: unknown; readonly window: { readonly start: number } }
    const cells = this.table.rows.load(own).value as Cells | undefined
    const cell = cells?.cells.find(({ start }) => start === window.start)
    if (cell === undefined || cell.ghost || cell.state === undefined) return undefined
    this.ts = cell.ts
    return this.result === undefined ? cell.state : this.result(cell.state)
  }
}

/** Rows that are a function of another table's rows: filters and maps that keep nothing. */
class DerivedRows implements TableReader {
  ts = Number.NEGATIVE_INFINITY
  private readonly rows: TableReader
  private readonly derive: (value: unknown, key: unknown) => unknown

  /** @param derive gives undefined or null for rows that are not there */
  constructor(rows: TableReader, derive: (value: unknown, key: unknown) => unknown) {
    this.rows = rows
    this.derive = derive
  }

  get(key: unknown): unknown {
    const value = this.rows.get(key)
    this.ts = this.rows.ts
    if (value === undefined) return undefined
    return this.derive(value, key) ?? undefined
  }
}

/** Likewise, of rows with a past. */
class DerivedVersions extends DerivedRows {
  private readonly versions: VersionedReader
  private readonly made: (value: unknown, key: unknown) => unknown

  constructor(rows: VersionedReader, derive: (value: unknown, key: unknown) => unknown) {
    super(rows, derive)
    this.versions = rows
    this.made = derive
  }

  asOf(key: unknown, at: number): unknown {
    const value = this.versions.asOf(key, at)
    this.ts = this.versions.ts
    if (value === undefined) return undefined
    return this.made(value, key) ?? undefined
  }
}

export type VersionedReader = TableReader & Required<Pick<TableReader, 'asOf'>>

export const isVersioned = (rows: TableReader): rows is VersionedReader => rows.asOf !== undefined

export const derivedRows = (rows: TableReader, derive: (value: unknown, key: unknown) => unknown): TableReader =>
  isVersioned(rows) ? new DerivedVersions(rows, derive) : new DerivedRows(rows, derive)
