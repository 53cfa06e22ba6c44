import type { AggregateSpec, UserFn } from '../../dsl/plan/index.ts'
import type { KeyValueTable } from '../../state/stores/index.ts'
import { type EmitChange, noEmit, type OperatorContext } from './operator.ts'

/** Rows regrouped: an old row is subtracted from its group, then the new one is added to its. */
export class TableAggregate {
  readonly stepId: number
  out: EmitChange = noEmit
  private readonly table: KeyValueTable
  private readonly init: (() => unknown) | undefined
  private readonly add: UserFn
  private readonly subtract: UserFn
  private readonly result: UserFn | undefined
  private readonly copy: (value: unknown) => unknown
  private readonly copyOld: boolean
  private readonly copyState: boolean

  constructor(stepId: number, spec: AggregateSpec, table: KeyValueTable, needsOld: boolean, ctx: OperatorContext) {
    this.stepId = stepId
    this.table = table
    const counts = spec.kind === 'count'
    this.init = counts ? () => 0 : spec.init
    this.add = counts ? (n: number) => n + 1 : (spec.adders[0] as UserFn)
    this.subtract = counts ? (n: number) => n - 1 : (spec.subtract as UserFn)
    this.result = spec.result
    this.copy = ctx.copy
    this.copyOld = needsOld && !spec.pure
    this.copyState = ctx.careful && !spec.pure
  }

  process(key: unknown, value: unknown, old: unknown, ts: number): void {
    if (key === null || key === undefined) return
    const entry = this.table.load(key)
    const held = entry.value
    const before = held !== undefined && this.copyOld ? this.copy(held) : held
    let state = held !== undefined && this.copyState ? this.copy(held) : held
    if (old !== null && old !== undefined && state !== undefined) state = this.subtract(state, old, key) ?? undefined
    if (value !== null && value !== undefined) {
      if (state !== undefined) state = this.add(state, value, key) ?? undefined
      else state = (this.init === undefined ? value : this.add(this.init(), value, key)) ?? undefined
    }
    const at = ts > entry.ts ? ts : entry.ts
    this.table.set(entry, state, at)
    if (state === undefined && held === undefined) return
    const { result } = this
    const row = state === undefined ? null : result === undefined ? state : result(state)
    this.out(key, row, before === undefined || result === undefined ? before : result(before), at)
  }
}
