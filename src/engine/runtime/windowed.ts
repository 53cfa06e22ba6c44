import type { AggregateNode, StoreSpec } from '../../dsl/plan/index.ts'
import type { WindowTable } from '../../state/stores/index.ts'
import { SessionAccess } from '../access/session.ts'
import { WindowAccess } from '../access/window.ts'
import type { OperatorContext } from '../operators/operator.ts'
import { SessionAggregate, sessionSpan } from '../operators/session-aggregate.ts'
import { WindowAggregate } from '../operators/window-aggregate.ts'
import type { Step } from '../plan/physical.ts'
import { assigner } from '../time/assign.ts'
import type { Timed } from '../time/clock.ts'
import type { TaskStores } from './stores.ts'

/** The operator of an aggregate over windows; undefined: there is none for windows of this kind. */
export function windowedAggregate(
  step: Step,
  op: AggregateNode,
  stores: TaskStores,
  ctx: OperatorContext,
): Timed | undefined {
  const { windows, spec, emit, store } = op
  const { id, name, needsOld } = step
  if (windows === undefined || !('clock' in windows) || windows.clock !== 'event') return undefined
  if (emit.mode === 'every' && emit.clock !== 'event') return undefined
  const { grace } = windows
  if (windows.kind === 'session') {
    const table = stores.session(store.name, sessionSpan(windows.gap, grace))
    return new SessionAggregate(id, name, spec, windows.gap, grace, store.retention, emit, table, needsOld, ctx)
  }
  if (windows.kind !== 'tumbling' && windows.kind !== 'hopping') return undefined
  const assign = assigner(windows)
  return new WindowAggregate(id, name, spec, assign, grace, store.retention, emit, tableOf(stores, op), needsOld, ctx)
}

/** A window or session store as user code sees it; `op`: the aggregate that it belongs to. */
export function windowedAccess(
  stores: TaskStores,
  { name, kind }: StoreSpec,
  op: AggregateNode | undefined,
  now: () => number,
): object {
  const show = op?.spec.result ?? ((state: unknown) => state)
  const windows = op?.windows
  if (kind === 'session' && windows?.kind === 'session')
    return new SessionAccess(stores.session(name, sessionSpan(windows.gap, windows.grace)), show)
  if (op === undefined || (windows?.kind !== 'tumbling' && windows?.kind !== 'hopping'))
    return new WindowAccess(stores.window(name), (start) => start, show, now)
  const assign = assigner(windows)
  const ticked = op.emit.mode === 'every'
  const stateOf = (held: unknown) => (ticked ? (held as { state: unknown }).state : held)
  const access = new WindowAccess(
    tableOf(stores, op),
    (start) => assign.endOf(start),
    (held) => {
      const state = stateOf(held)
      return state === undefined ? undefined : show(state)
    },
    now,
  )
  // it belongs to its step
  return {
    fetch: access.fetch.bind(access),
    fetchAll: access.fetchAll.bind(access),
    get: access.get.bind(access),
  }
}

const tableOf = (stores: TaskStores, { store, emit }: AggregateNode): WindowTable =>
  emit.mode === 'every' ? stores.tickedWindow(store.name) : stores.window(store.name)
