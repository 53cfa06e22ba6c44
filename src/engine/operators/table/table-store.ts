import type { KeyValueTable, VersionedTable } from '../../../state/stores/index.ts'
import { type Counter, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'
import type { TableReader } from './table-reader.ts'

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
