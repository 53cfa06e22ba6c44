import { type SuppressNode, type WindowSpec, windowsBehind } from '../../../dsl/plan/index.ts'
import type { OperatorContext } from '../../operators/operator.ts'
import type { SessionAggregate } from '../../operators/aggregate/session-aggregate.ts'
import { type CloseAt, Suppress } from '../../operators/table/suppress.ts'
import { KeptRows, TableStore } from '../../operators/table/table-store.ts'
import { WallWindows } from '../../operators/aggregate/wall-windows.ts'
import type { Step } from '../../plan/physical.ts'
import type { TaskStores } from './stores.ts'
import { unsupported } from '../failures/errors.ts'
import { isRead, shownRows, shownTable } from './table-rows.ts'

/** The operator of a `suppress`. @param ops those of the steps before it */
export function suppressed(
  step: Step,
  op: SuppressNode,
  stores: TaskStores,
  ctx: OperatorContext,
  ops: Readonly<Record<number, object>>,
  copy: ((value: unknown) => unknown) | undefined,
): object {
  const { policy, buffer, store } = op
  const windows = policy.until === 'close' ? [...windowsBehind(op)].flatMap((aggregate) => aggregate.windows ?? []) : []
  const wall = windows.length > 0 && windows.every((one) => 'clock' in one && one.clock === 'wall')
  const own = wall ? { ...ctx, clock: ctx.wallTime.clock } : ctx
  const closeAt = policy.until === 'close' ? closing(step, windows, ops) : undefined
  const span = Math.max(1, Math.ceil((policy.limit ?? 60_000) / 16))
  const table = stores.held(buffer.name, Math.min(span, 86_400_000))
  const suppress = new Suppress(step.id, step.name, policy, table, closeAt, step.needsOld, copy, own)
  own.clock.add(suppress)
  const rows = store?.name ?? (isRead(step) ? shownRows(step) : undefined)
  if (rows === undefined) return suppress
  const kept = store === undefined && windows.length > 0 ? shownTable(step, windows, 0, stores) : stores.keyValue(rows)
  return new KeptRows(suppress, new TableStore(step.id, step.name, kept, ctx))
}

/** A row waits for all windows that it can be of: joined tables may have different graces. */
function closing(step: Step, windows: readonly WindowSpec[], ops: Readonly<Record<number, object>>): CloseAt {
  const ends = windows.map((one) => closed(step, one, ops))
  const [first] = ends
  if (first === undefined) throw unsupported('no windows', step.name)
  return ends.length === 1 ? first : (window) => Math.max(...ends.map((end) => end(window)))
}

function closed(step: Step, windows: WindowSpec, ops: Readonly<Record<number, object>>): CloseAt {
  if (windows.kind === 'count' || windows.kind === 'unlimited') throw unsupported(windows.kind, step.name)
  const { grace } = windows
  if (windows.kind === 'sliding') return ({ end }) => end + grace
  if (windows.kind !== 'session') return ({ end }) => end + grace - 1
  const { gap } = windows
  if (typeof gap === 'number') return ({ end }) => end + gap + grace
  const operator = ops[sessionsBefore(step).id]
  const sessions = (operator instanceof WallWindows ? operator.inner : operator) as SessionAggregate
  return () => sessions.reach + grace
}

/** Sessions with a gap by the record have only steps between them and here that pass each row on. */
const sessionsBefore = (step: Step): Step =>
  step.op.kind === 'aggregate' ? step : sessionsBefore(step.inputs[0] as Step)
