import type { UserFn } from '../../../dsl/plan/index.ts'
import { type Counter, type Emit, noEmit, type OperatorContext } from '../operator.ts'
import type { TableReader } from '../table/table-reader.ts'

/**
 * A stream's record with a row of a global table, under a key of the record's choice. What row that is depends on how far the
 * table has been read, which is always as far as can be, and not on the record's time. A record that names no key has no row.
 */
export class GlobalJoin {
  readonly stepId: number
  out: Emit = noEmit
  private readonly rows: TableReader
  private readonly lookup: UserFn
  private readonly joiner: UserFn
  private readonly rec: object
  private readonly keepsLeft: boolean
  private readonly nullKeys: Counter
  private readonly nullValues: Counter

  /** @param rec the record that is being processed, for `lookup` */
  constructor(
    stepId: number,
    name: string,
    how: 'inner' | 'left',
    { lookup, joiner }: { readonly lookup: UserFn; readonly joiner: UserFn },
    rows: TableReader,
    rec: object,
    ctx: OperatorContext,
  ) {
    this.stepId = stepId
    this.rows = rows
    this.lookup = lookup
    this.joiner = joiner
    this.rec = rec
    this.keepsLeft = how === 'left'
    this.nullKeys = ctx.dropped(name, 'null-key')
    this.nullValues = ctx.dropped(name, 'null-value')
  }

  process(key: unknown, value: unknown, ts: number): void {
    if (value === null || value === undefined) {
      this.nullValues.n++
      return
    }
    const at = this.lookup(value, key, this.rec)
    if (at === null || at === undefined) {
      if (this.keepsLeft) this.out(key, this.joiner(value, null, key), ts)
      else this.nullKeys.n++
      return
    }
    const row = this.rows.get(at)
    if (row !== undefined) this.out(key, this.joiner(value, row, key), ts)
    else if (this.keepsLeft) this.out(key, this.joiner(value, null, key), ts)
  }
}
