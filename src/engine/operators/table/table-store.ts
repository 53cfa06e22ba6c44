import type { Cells, DueTable, KeyValueTable, VersionedTable, WindowTable } from '../../../state/stores/index.ts'
import { type Counter, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'

/** Reads rows of a table, be they stored or derived from stored ones. */
export interface TableReader {
  /** undefined: no such row. */
  get(key: unknown): unknown
  /** Timestamp of the row that the last `get` found. */
  readonly ts: number
  /** Of versioned tables: the row that held at a time. */
  asOf?(key: unknown, at: number): unknown
}

/** Keeps the rows of a table: source tables, `toTable`, and table steps whose rows were asked to be kept. */
export class TableStore implements TableReader {
  readonly stepId: number
  out: EmitChange = noEmit
  ts = Number.NEGATIVE_INFINITY
  private readonly table: KeyValueTable
  private readonly copy: ((value: unknown) => unknown) | undefined
  private readonly nullKeys: Counter

  /** @param copy given where somebody may go on changing values that are kept here */
  constructor(
    stepId: number,
    name: string,
    table: KeyValueTable,
    ctx: OperatorContext,
    copy?: (value: unknown) => unknown,
  ) {
    this.stepId = stepId
    this.table = table
    this.copy = copy
    this.nullKeys = ctx.dropped(name, 'null-key')
  }

  /** A null value deletes. The old value comes from the store, whatever `old` says. */
  process(key: unknown, value: unknown, ts: number): void {
    if (key === null || key === undefined) {
      this.nullKeys.n++
      return
    }
    const entry = this.table.load(key)
    const old = entry.value
    if (value === null || value === undefined) {
      if (old !== undefined) this.table.set(entry, undefined, ts)
      this.out(key, null, old, ts)
      return
    }
    const row = this.copy === undefined ? value : this.copy(value)
    this.table.set(entry, row, ts)
    this.out(key, row, old, ts)
  }

  get(key: unknown): unknown {
    const entry = this.table.load(key)
    this.ts = entry.ts
    return entry.value
  }
}

interface RowStep {
  readonly stepId: number
  out: EmitChange
  process(key: unknown, value: unknown, old: unknown, ts: number, port: number): void
}

/** A step whose rows are kept: what comes out of it has gone through its store. */
export class KeptRows {
  readonly stepId: number
  private readonly step: RowStep
  private readonly kept: TableStore | VersionedStore

  constructor(step: RowStep, kept: TableStore | VersionedStore) {
    this.stepId = step.stepId
    this.step = step
    this.kept = kept
    step.out = (key, value, _old, ts) => kept.process(key, value, ts)
  }

  set out(out: EmitChange) {
    this.kept.out = out
  }

  get out(): EmitChange {
    return this.kept.out
  }

  /** Where the rows are versioned: is what goes out now its key's present row? */
  get latest(): boolean {
    return !('latest' in this.kept) || this.kept.latest
  }

  process(key: unknown, value: unknown, old: unknown, ts: number, port: number): void {
    this.step.process(key, value, old, ts, port)
  }
}

interface WindowStep {
  readonly stepId: number
  out: EmitChange
  late?: unknown
  process(a: unknown, b: unknown, c: unknown, d: unknown): void
}

/** An aggregate over windows whose rows are kept as they come out. */
export class ShownRows {
  readonly stepId: number
  private readonly step: WindowStep
  private readonly kept: TableStore

  constructor(step: object, kept: TableStore) {
    this.step = step as WindowStep
    this.stepId = this.step.stepId
    this.kept = kept
    this.step.out = (key, value, _old, ts) => kept.process(key, value, ts)
  }

  set out(out: EmitChange) {
    this.kept.out = out
  }

  get out(): EmitChange {
    return this.kept.out
  }

  set late(late: unknown) {
    this.step.late = late
  }

  get late(): unknown {
    return this.step.late
  }

  process(a: unknown, b: unknown, c: unknown, d: unknown): void {
    this.step.process(a, b, c, d)
  }
}

/**
 * Keeps the rows of a table with their past. An update that is older than its key's present row goes on, as in Kafka Streams,
 * with `latest` false: steps that follow a table's present rows do not take it. One that is older than the past is dropped.
 */
export class VersionedStore {
  readonly stepId: number
  out: EmitChange = noEmit
  /** Is what goes out now its key's present row? */
  latest = true
  private readonly table: VersionedTable
  private readonly copy: ((value: unknown) => unknown) | undefined
  private readonly nullKeys: Counter
  private readonly expired: Counter

  /** @param copy given where somebody may go on changing values that are kept here */
  constructor(
    stepId: number,
    name: string,
    table: VersionedTable,
    ctx: OperatorContext,
    copy?: (value: unknown) => unknown,
  ) {
    this.stepId = stepId
    this.table = table
    this.copy = copy
    this.nullKeys = ctx.dropped(name, 'null-key')
    this.expired = ctx.dropped(name, 'expired')
  }

  process(key: unknown, value: unknown, ts: number): void {
    if (key === null || key === undefined) {
      this.nullKeys.n++
      return
    }
    const old = this.table.latest.get(key)
    const row = value === null || value === undefined || this.copy === undefined ? value : this.copy(value)
    const latest = this.table.put(key, row ?? undefined, ts)
    if (latest === undefined) {
      this.expired.n++
      return
    }
    this.latest = latest
    this.out(key, row ?? null, old, ts)
  }
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
