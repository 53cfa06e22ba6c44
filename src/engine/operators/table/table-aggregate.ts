import type { AggregateSpec, UserFn } from '../../../dsl/plan/index.ts'
import type { KeyValueTable, VersionedTable } from '../../../state/stores/index.ts'
import { type Counter, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'

/** Rows regrouped: an old row is subtracted from its group, then the new one is added to its. */
export class TableAggregate {
  readonly stepId: number
  out: EmitChange = noEmit
  /** Is what goes out now its group's present row? A state that begins anew may be older than what ended the one before. */
  latest = true
  private readonly table: KeyValueTable
  private readonly past: VersionedTable | undefined
  private readonly expired: Counter | undefined
  private readonly init: (() => unknown) | undefined
  private readonly add: UserFn
  private readonly subtract: UserFn
  private readonly result: UserFn | undefined
  private readonly unchanged: UserFn | undefined
  private readonly copy: (value: unknown) => unknown
  private readonly copyOld: boolean
  private readonly copyState: boolean

  constructor(
    stepId: number,
    name: string,
    spec: AggregateSpec,
    table: KeyValueTable,
    needsOld: boolean,
    ctx: OperatorContext,
    past?: VersionedTable,
  ) {
    this.stepId = stepId
    this.table = table
    this.past = past
    this.expired = past === undefined ? undefined : ctx.dropped(name, 'expired')
    const counts = spec.kind === 'count'
    this.init = counts ? () => 0 : spec.init
    this.add = counts ? (n: number) => n + 1 : (spec.adders[0] as UserFn)
    this.subtract = counts ? (n: number) => n - 1 : (spec.subtract as UserFn)
    this.result = spec.result
    this.unchanged = spec.unchanged
    this.copy = ctx.copy
    this.copyOld = needsOld && !spec.pure
    // what the past keeps must not change
    this.copyState = (ctx.careful || past !== undefined) && !spec.pure
  }

  process(key: unknown, value: unknown, old: unknown, ts: number): void {
    if (key === null || key === undefined) return
    const entry = this.table.load(key)
    const at = ts > entry.ts ? ts : entry.ts
    if (this.past !== undefined && this.past.forgets(at)) {
      ;(this.expired as Counter).n++
      return
    }
    const held = entry.value
    const before = held !== undefined && this.copyOld ? this.copy(held) : held
    let state = held !== undefined && this.copyState ? this.copy(held) : held
    if (old !== null && old !== undefined && state !== undefined) state = this.subtract(state, old, key) ?? undefined
    if (value !== null && value !== undefined) {
      if (state !== undefined) state = this.add(state, value, key) ?? undefined
      else state = (this.init === undefined ? value : this.add(this.init(), value, key)) ?? undefined
    }
    if (this.past === undefined) this.table.set(entry, state, at)
    else this.latest = this.past.put(key, state, at) === true
    if (state === undefined && held === undefined) return
    if (this.unchanged !== undefined && state !== undefined && held !== undefined && this.unchanged(held, state)) return
    const { result } = this
    const row = state === undefined ? null : result === undefined ? state : result(state)
    this.out(key, row, before === undefined || result === undefined ? before : result(before), at)
  }
}
