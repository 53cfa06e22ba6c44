import type { KeyValueTable } from '../../state/stores/index.ts'
import { type Counter, type EmitChange, noEmit, type OperatorContext } from './operator.ts'

/** Reads rows of a table, be they stored or derived from stored ones. */
export interface TableReader {
  /** undefined: no such row. */
  get(key: unknown): unknown
  /** Timestamp of the row that the last `get` found. */
  readonly ts: number
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
  private readonly kept: TableStore

  constructor(step: RowStep, kept: TableStore) {
    this.stepId = step.stepId
    this.step = step
    this.kept = kept
    step.out = (key, value, _old, ts) => kept.process(key, value, ts)
  }

  set out(out: EmitChange) {
    this.kept.out = out
  }

  process(key: unknown, value: unknown, old: unknown, ts: number, port: number): void {
    this.step.process(key, value, old, ts, port)
  }
}

/** Rows of a stored table, for joins with it. */
export class StoredRows implements TableReader {
  ts = Number.NEGATIVE_INFINITY
  private readonly table: KeyValueTable
  private readonly result: ((state: unknown) => unknown) | undefined

  constructor(table: KeyValueTable, result?: (state: unknown) => unknown) {
    this.table = table
    this.result = result
  }

  get(key: unknown): unknown {
    const entry = this.table.load(key)
    this.ts = entry.ts
    const { value } = entry
    return value === undefined || this.result === undefined ? value : this.result(value)
  }
}

/** Rows that are a function of another table's rows: filters and maps that keep nothing. */
export class DerivedRows implements TableReader {
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
