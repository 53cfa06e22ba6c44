import type { AggregateNode, AggregateSpec, EmitSpec, StoreSpec, WindowSpec } from '../../../dsl/plan/index.ts'
import { copyValue } from '../../../state/codec/index.ts'
import { KeyValueTable, type WindowTable } from '../../../state/stores/index.ts'
import { PaneAccess } from '../../access/panes.ts'
import { CellAccess } from '../../access/cells.ts'
import { SessionAccess } from '../../access/session.ts'
import { OwnWindowAccess, WindowAccess } from '../../access/window.ts'
import { WindowedRowsAccess } from '../../access/windowed-rows.ts'
import { cellSpan } from '../../operators/aggregate/cell-aggregate.ts'
import { CountAggregate } from '../../operators/aggregate/count-aggregate.ts'
import type { OperatorContext } from '../../operators/operator.ts'
import { PaneAggregate, paneMerge } from '../../operators/aggregate/pane-aggregate.ts'
import { MergingWindows } from '../../operators/aggregate/partial-aggregate.ts'
import { SessionAggregate, sessionSpan } from '../../operators/aggregate/session-aggregate.ts'
import { SlidingAggregate } from '../../operators/aggregate/sliding-aggregate.ts'
import { WallTicks } from '../../operators/aggregate/wall-ticks.ts'
import { WallWindows } from '../../operators/aggregate/wall-windows.ts'
import { WindowAggregate } from '../../operators/aggregate/window-aggregate.ts'
import type { Step } from '../../plan/physical.ts'
import { type AssignedSpec, assigner, isAssigned } from '../../time/assign.ts'
import type { WindowAssigner } from '../../time/window-assigner.ts'
import type { PaneGrid } from '../../time/panes.ts'
import type { TaskStores } from './stores.ts'

/** What becomes of values on their way between user code and a store. */
export interface Handed {
  /** On the way out. */
  readonly show?: ((value: unknown) => unknown) | undefined
  /** On the way in. */
  readonly keep?: ((value: unknown) => unknown) | undefined
}

type Windowed = PaneAggregate | WindowAggregate | SessionAggregate | SlidingAggregate | CountAggregate

/** The operator of an aggregate over windows, in its clock. @param merges it gets states of a first phase */
export function windowedAggregate(
  step: Step,
  op: AggregateNode,
  stores: TaskStores,
  ctx: OperatorContext,
  merges = false,
): object {
  const windows = op.windows as WindowSpec
  const wall = 'clock' in windows && windows.clock === 'wall'
  // ticks that the operator's own clock does not bring come from outside
  const outside = op.emit.mode === 'every' && op.emit.clock === 'wall' && !wall
  const emit: EmitSpec = outside ? { mode: 'every', interval: Number.POSITIVE_INFINITY, clock: 'event' } : op.emit
  const clock = wall ? ctx.wallTime.clock : ctx.clock
  const operator = make(step, op, windows, emit, stores, { ...ctx, clock }, merges)
  if (wall) return new WallWindows(operator, ctx.wallTime, windows.kind === 'session')
  clock.add(operator)
  if (outside && op.emit.mode === 'every') {
    const ticks = new WallTicks(step.id, op.emit.interval, ctx.wall, clock, () => operator.showAll())
    operator.onChange = () => ticks.arm()
    ticks.arm()
  }
  return operator
}

function make(
  { id, name, needsOld }: Step,
  op: AggregateNode,
  windows: WindowSpec,
  emit: EmitSpec,
  stores: TaskStores,
  ctx: OperatorContext,
  merges: boolean,
): Windowed {
  const { spec, store } = op
  const { retention } = store
  if (isAssigned(windows)) {
    const grace = windows.kind === 'unlimited' ? 0 : windows.grace
    const assign = assigner(windows)
    if (inPanes(assign, windows, op, needsOld)) {
      const interval = op.emit.mode === 'every' ? op.emit.interval : undefined
      const panes = interval === undefined ? stores.window(store.name) : stores.dueWindow(store.name)
      return new PaneAggregate(id, name, spec, assign, grace, interval, panes, ctx)
    }
    const table = tableOf(stores, store, emit)
    const Operator = merges ? MergingWindows : WindowAggregate
    return new Operator(id, name, spec, assign, grace, retention, emit, table, needsOld, ctx)
  }
  if (windows.kind === 'session') {
    const { gap, grace } = windows
    const table = stores.session(store.name, sessionSpan(gap, grace))
    return new SessionAggregate(id, name, spec, gap, grace, retention, emit, table, needsOld, ctx)
  }
  const table = stores.cells(store.name, spanOf(windows))
  if (windows.kind === 'count') return new CountAggregate(id, name, spec, windows.records, emit, table, needsOld, ctx)
  return new SlidingAggregate(id, name, spec, windows, retention, emit, table, needsOld, ctx)
}

export const spanOf = (windows: WindowSpec): number =>
  cellSpan(windows.kind === 'sliding' ? windows.difference + windows.grace : 60_000)

/** A window or session store as user code sees it; `op`, `needsOld`: of the aggregate that it belongs to. */
export function windowedAccess(
  stores: TaskStores,
  { name, kind, retention }: StoreSpec,
  op: AggregateNode | undefined,
  needsOld: boolean,
  now: () => number,
  handed: Handed,
): object {
  const show = op?.spec.result ?? ((state: unknown) => state)
  const windows = op?.windows
  if (kind === 'session' && windows?.kind === 'session')
    return new SessionAccess(stores.session(name, sessionSpan(windows.gap, windows.grace)), show)
  if (windows?.kind === 'sliding' || windows?.kind === 'count') {
    const length = windows.kind === 'sliding' ? windows.difference : windows.records
    return new CellAccess(stores.cells(name, spanOf(windows)), (start) => start + length, show)
  }
  if (op === undefined && stores.tables.get(name) instanceof KeyValueTable)
    return new WindowedRowsAccess(stores.keyValue(name))
  if (op === undefined || windows === undefined || !isAssigned(windows))
    return new OwnWindowAccess(stores.window(name), retention, now, handed.show, handed.keep)
  const assign = assigner(windows)
  const ticked = op.emit.mode === 'every'
  if (inPanes(assign, windows, op, needsOld)) {
    const panes = ticked ? stores.dueWindow(name) : stores.window(name)
    return new PaneAccess(panes, assign, paneMerge(op.spec, copyValue, ticked), show)
  }
  const stateOf = (held: unknown) => (ticked ? (held as { state: unknown }).state : held)
  const access = new WindowAccess(
    tableOf(stores, op.store, op.emit),
    (start) => ({ start: assign.startOf(start), end: assign.endOf(start) }),
    (held) => {
      const state = stateOf(held)
      return state === undefined ? undefined : show(state)
    },
  )
  // it belongs to its step
  return {
    fetch: access.fetch.bind(access),
    fetchAll: access.fetchAll.bind(access),
    get: access.get.bind(access),
  }
}

/** Keeps the store of a step panes, and not windows? Asked of the manifest too. */
export function keepsPanes({ op, needsOld }: Step): boolean {
  if (op.kind !== 'aggregate' || op.windows === undefined || !isAssigned(op.windows)) return false
  return inPanes(assigner(op.windows), op.windows, op, needsOld)
}

function inPanes(
  assign: WindowAssigner,
  windows: AssignedSpec,
  { spec, emit, store, twoPhase }: AggregateNode,
  needsOld: boolean,
): assign is WindowAssigner & { readonly panes: PaneGrid } {
  const wall = 'clock' in windows && windows.clock === 'wall'
  // a window that was closed must not show what came too late for it, but not for others that share its panes
  const kept = store.retention > 0
  // states of a first phase are of windows
  if (twoPhase) return false
  // a window's old row cannot be told from panes that have changed
  const emitted = emit.mode === 'close' || (emit.mode === 'every' && emit.clock === 'event' && !needsOld)
  return assign.panes !== undefined && emitted && !wall && !kept && spec.mergeable && !byArrival(spec)
}

/** Panes are merged by time: where the order of arrival shows, windows have to be kept. */
function byArrival({ builtin }: AggregateSpec): boolean {
  if (builtin === undefined) return false
  return builtin.op === 'collect' || Object.values(builtin.parts ?? {}).some(byArrival)
}

const tableOf = (stores: TaskStores, store: StoreSpec, emit: EmitSpec): WindowTable =>
  emit.mode === 'every' ? stores.tickedWindow(store.name) : stores.window(store.name)
