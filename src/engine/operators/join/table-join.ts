import type { UserFn } from '../../../dsl/plan/index.ts'
import { type Counter, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'
import type { TableReader } from '../table/table-reader.ts'

/**
 * Table-table join by equal keys. A change of one side is joined with the other side's present row; a result's
 * timestamp is the higher of the two. What comes out and when is Kafka Streams' (KTableKTable*Join).
 */
export class TableJoin implements TableReader {
  readonly stepId: number
  out: EmitChange = noEmit
  ts = Number.NEGATIVE_INFINITY
  private readonly left: TableReader
  private readonly right: TableReader
  private readonly joiner: UserFn
  private readonly keepsLeft: boolean
  private readonly keepsRight: boolean
  private readonly needsOld: boolean
  private readonly nullKeys: Counter

  constructor(
    stepId: number,
    name: string,
    how: 'inner' | 'left' | 'outer',
    joiner: UserFn,
    left: TableReader,
    right: TableReader,
    needsOld: boolean,
    ctx: OperatorContext,
  ) {
    this.stepId = stepId
    this.left = left
    this.right = right
    this.joiner = joiner
    this.keepsLeft = how !== 'inner'
    this.keepsRight = how === 'outer'
    this.needsOld = needsOld
    this.nullKeys = ctx.dropped(name, 'null-key')
  }

  process(key: unknown, value: unknown, old: unknown, ts: number, port: number): void {
    if (key === null || key === undefined) {
      this.nullKeys.n++
      return
    }
    const fromLeft = port === 0
    const side = fromLeft ? this.right : this.left
    const other = side.get(key) ?? null
    const before = old ?? null
    /** Does a row of the changed side come out alone? */
    const alone = fromLeft ? this.keepsLeft : this.keepsRight
    if (other === null && (!alone || (value === null && before === null))) return
    const at = other !== null && side.ts > ts ? side.ts : ts
    this.out(
      key,
      this.joined(fromLeft, value, other, key),
      this.needsOld ? this.joined(fromLeft, before, other, key) : undefined,
      at,
    )
  }

  private joined(fromLeft: boolean, changed: unknown, other: unknown, key: unknown): unknown {
    return fromLeft ? this.row(changed, other, key) : this.row(other, changed, key)
  }

  private row(left: unknown, right: unknown, key: unknown): unknown {
    if (left === null ? !this.keepsRight || right === null : right === null && !this.keepsLeft) return null
    return this.joiner(left, right, key) ?? null
  }

  get(key: unknown): unknown {
    const left = this.left.get(key) ?? null
    const right = this.right.get(key) ?? null
    this.ts = Math.max(
      left === null ? Number.NEGATIVE_INFINITY : this.left.ts,
      right === null ? Number.NEGATIVE_INFINITY : this.right.ts,
    )
    return this.row(left, right, key) ?? undefined
  }
}
