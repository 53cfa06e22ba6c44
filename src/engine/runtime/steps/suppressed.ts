import type { SuppressNode, WindowSpec } from '../../../dsl/plan/index.ts'
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
  const aggregate = policy.until === 'close' ? windowedStep(step) : undefined
  const windows = aggregate === undefined ? undefined : windowsOf(aggregate)
  const wall = windows !== undefined && 'clock' in windows && windows.clock === 'wall'
  const own = wall ? { ...ctx, clock: ctx.wallTime.clock } : ctx
  const closeAt =
    aggregate === undefined || windows === undefined ? undefined : closing(step, windows, ops[aggregate.id] as object)
  const span = Math.max(1, Math.ceil((policy.limit ?? 60_000) / 16))
  const table = stores.held(buffer.name, Math.min(span, 86_400_000))
  const suppress = new Suppress(step.id, step.name, policy, table, closeAt, step.needsOld, copy, own)
  own.clock.add(suppress)
  const rows = store?.name ?? (isRead(step) ? shownRows(step) : undefined)
  if (rows === undefined) return suppress
  const kept =
    store === undefined && windows !== undefined ? shownTable(step, windows, 0, stores) : stores.keyValue(rows)
  return new KeptRows(suppress, new TableStore(step.id, step.name, kept, ctx))
}

/** The aggregate whose windows the keys of these rows have. */
function windowedStep(step: Step): Step | undefined {
  if (step.op.kind === 'aggregate') return step
  const [input] = step.inputs
  return input === undefined ? undefined : windowedStep(input)
}

const windowsOf = ({ op }: Step): WindowSpec | undefined => (op.kind === 'aggregate' ? op.windows : undefined)

function closing(step: Step, windows: WindowSpec, operator: object): CloseAt {
  if (windows.kind === 'count' || windows.kind === 'unlimited') throw unsupported(windows.kind, step.name)
  const { grace } = windows
  if (windows.kind === 'sliding') return ({ end }) => end + grace
  if (windows.kind !== 'session') return ({ end }) => end + grace - 1
  const { gap } = windows
  if (typeof gap === 'number') return ({ end }) => end + gap + grace
  const sessions = (operator instanceof WallWindows ? operator.inner : operator) as SessionAggregate
  return () => sessions.reach + grace
}
