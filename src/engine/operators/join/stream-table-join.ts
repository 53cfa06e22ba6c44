import type { UserFn } from '../../../dsl/plan/index.ts'
import { type Counter, type Emit, noEmit, type OperatorContext } from '../operator.ts'
import { isVersioned, type TableReader, type VersionedReader } from '../table/table-reader.ts'

/** A stream's record with the row that its key has: at this moment, or of a versioned table at the record's time. */
export class StreamTableJoin {
  readonly stepId: number
  out: Emit = noEmit
  private readonly rows: TableReader
  private readonly versioned: boolean
  private readonly joiner: UserFn
  private readonly keepsLeft: boolean
  private readonly nullKeys: Counter
  private readonly nullValues: Counter

  constructor(
    stepId: number,
    name: string,
    how: 'inner' | 'left',
    joiner: UserFn,
    rows: TableReader,
    ctx: OperatorContext,
  ) {
    this.stepId = stepId
    this.rows = rows
    this.versioned = isVersioned(rows)
    this.joiner = joiner
    this.keepsLeft = how === 'left'
    this.nullKeys = ctx.dropped(name, 'null-key')
    this.nullValues = ctx.dropped(name, 'null-value')
  }

  process(key: unknown, value: unknown, ts: number): void {
    if (value === null || value === undefined) {
      this.nullValues.n++
      return
    }
    if (key === null || key === undefined) {
      if (this.keepsLeft) this.out(key, this.joiner(value, null, key), ts)
      else this.nullKeys.n++
      return
    }
    const row = this.versioned ? (this.rows as VersionedReader).asOf(key, ts) : this.rows.get(key)
    if (row === undefined) {
      if (this.keepsLeft) this.out(key, this.joiner(value, null, key), ts)
      return
    }
    this.out(key, this.joiner(value, row, key), ts)
  }
}
