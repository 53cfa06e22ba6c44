import type { AggregateSpec, UserFn } from '../../../dsl/plan/index.ts'
import { copyValue } from '../../../state/codec/index.ts'
import type { KeyValueTable, VersionedTable } from '../../../state/stores/index.ts'
import { Grouped } from './grouped.ts'
import { type Counter, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'

/** The parts of an AggregateSpec, with what is left out filled in. */
export interface Fold {
  /** The state of a key's first value. */
  readonly start: (value: unknown, key: unknown, port: number, ts: number) => unknown
  readonly add: (state: unknown, value: unknown, key: unknown, port: number, ts: number) => unknown
  readonly result: UserFn | undefined
}

export function foldOf(spec: AggregateSpec): Fold {
  const [first] = spec.adders
  if (spec.kind === 'count') return { start: () => 1, add: (state) => (state as number) + 1, result: spec.result }
  const one = first as UserFn
  // its first state is a record's value, which others see too
  if (spec.kind === 'reduce')
    return {
      start: spec.pure ? (value) => value : copyValue,
      add: (state, value) => one(state, value),
      result: spec.result,
    }
  const init = spec.init as UserFn
  if (spec.timed) return timedFold(spec, init)
  if (spec.adders.length === 1) {
    return {
      start: (value, key) => one(init(), value, key),
      add: (state, value, key) => one(state, value, key),
      result: spec.result,
    }
  }
  const { adders } = spec
  return {
    start: (value, key, port) => (adders[port] as UserFn)(init(), value, key),
    add: (state, value, key, port) => (adders[port] as UserFn)(state, value, key),
    result: spec.result,
  }
}

/** Adders that read the record's timestamp too. */
function timedFold({ adders, result }: AggregateSpec, init: UserFn): Fold {
  return {
    start: (value, key, port, ts) => (adders[port] as UserFn)(init(), value, key, ts),
    add: (state, value, key, port, ts) => (adders[port] as UserFn)(state, value, key, ts),
    result,
  }
}

/** How two states become one, the left one of the earlier values: a reduce merges with its own function. */
export function mergeOf(spec: AggregateSpec): UserFn {
  if (spec.merge !== undefined) return spec.merge
  if (spec.kind === 'count') return (left: number, right: number) => left + right
  return spec.adders[0] as UserFn
}

/**
 * Key -> aggregate, without windows. One change out for each record in. With a past, each state is kept from its time on; one
 * whose key has been silent for longer than the past reaches is dropped, as in Kafka Streams.
 */
export class KeyAggregate extends Grouped {
  readonly stepId: number
  out: EmitChange = noEmit
  /** Is what goes out now its key's present row? A state that begins anew may be older than what ended the one before. */
  latest = true
  private readonly table: KeyValueTable
  private readonly past: VersionedTable | undefined
  private readonly expired: Counter | undefined
  private readonly start: Fold['start']
  private readonly add: Fold['add']
  private readonly result: UserFn | undefined
  private readonly unchanged: UserFn | undefined
  /** Somebody downstream needs the row before the change, and adders may change it in place. */
  private readonly copyOld: boolean
  private readonly copy: (value: unknown) => unknown
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
    super(name, ctx)
    const { start, add, result } = foldOf(spec)
    this.stepId = stepId
    this.table = table
    this.past = past
    this.expired = past === undefined ? undefined : ctx.dropped(name, 'expired')
    this.start = start
    this.add = add
    this.result = result
    this.unchanged = spec.unchanged
    this.copy = ctx.copy
    this.copyOld = needsOld && !spec.pure
    // what the past keeps must not change
    this.copyState = (ctx.careful || past !== undefined) && !spec.pure
  }

  process(key: unknown, value: unknown, ts: number, port: number): void {
    if (this.lacks(key, value)) return
    const entry = this.table.load(key)
    const at = ts > entry.ts ? ts : entry.ts
    if (this.past !== undefined && this.past.forgets(at)) {
      ;(this.expired as Counter).n++
      return
    }
    const state = entry.value
    const old = state === undefined ? undefined : this.copyOld ? this.copy(state) : state
    const next =
      state === undefined
        ? this.start(value, key, port, ts)
        : this.add(this.copyState ? this.copy(state) : state, value, key, port, ts)
    const result = this.result
    if (next === null || next === undefined) {
      if (this.past === undefined) this.table.set(entry, undefined, at)
      else this.latest = this.past.put(key, undefined, at) === true
      if (state !== undefined) this.out(key, null, old !== undefined && result !== undefined ? result(old) : old, at)
      return
    }
    if (this.past === undefined) this.table.set(entry, next, at)
    else this.latest = this.past.put(key, next, at) === true
    if (this.unchanged !== undefined && this.past === undefined && state !== undefined && this.unchanged(state, next))
      return
    if (result === undefined) this.out(key, next, old, at)
    else this.out(key, result(next), old === undefined ? undefined : result(old), at)
  }
}
