import type { AggregateNode, StoreSpec, TableAggregateNode } from '../../../dsl/plan/index.ts'
import { keyId } from '../../../state/codec/index.ts'
import type { VersionedTable } from '../../../state/stores/index.ts'
import { KeyAggregate } from '../../operators/aggregate/aggregate.ts'
import { mergingSpec, PartialAggregate } from '../../operators/aggregate/partial-aggregate.ts'
import type { OperatorContext } from '../../operators/operator.ts'
import { TableAggregate } from '../../operators/table/table-aggregate.ts'
import { ShownRows, TableStore } from '../../operators/table/table-store.ts'
import type { Step } from '../../plan/physical.ts'
import { assigner, isAssigned } from '../../time/assign.ts'
import type { TaskStores } from './stores.ts'
import { isRead, readInPlace, shownTable } from './table-rows.ts'
import type { UserCode } from './user-code.ts'
import { windowedAggregate } from './windowed.ts'

/** What an aggregation is made with. */
export interface Aggregating {
  readonly ctx: OperatorContext
  readonly stores: TaskStores
  readonly code: UserCode
}

/** Of a stream's records: by key, or by key and window. */
export function aggregated(step: Step, op: AggregateNode, { ctx, stores, code }: Aggregating): object {
  const { id, name, needsOld } = step
  const merges = step.inputs.every((input) => input.op.kind === 'repartitionRead' && input.op.repartition.partial)
  const spec = merges ? mergingSpec(op.spec) : code.spec(step, op.spec)
  if (op.windows === undefined)
    return new KeyAggregate(id, name, spec, stores.keyValue(op.store.name), needsOld, ctx, pastOf(op.store, stores))
  const operator = windowedAggregate(step, { ...op, spec }, stores, ctx, merges)
  if (readInPlace(op) || !isRead(step)) return operator
  const shown = shownTable(step, [op.windows], op.store.retention, stores)
  return new ShownRows(operator, new TableStore(id, name, shown, ctx, code.copyFor(step)))
}

/** Of a table's rows, which come and go. */
export function tableAggregated(step: Step, op: TableAggregateNode, { ctx, stores, code }: Aggregating): object {
  const { id, name, needsOld } = step
  const table = stores.keyValue(op.store.name)
  return new TableAggregate(id, name, code.spec(step, op.spec), table, needsOld, ctx, pastOf(op.store, stores))
}

/** The first phase of an aggregation, in its clock. */
export function partialAggregate(
  step: Step,
  node: AggregateNode,
  port: number,
  { ctx, code }: Aggregating,
): PartialAggregate {
  const { windows } = node
  const assigned = windows !== undefined && isAssigned(windows) ? windows : undefined
  const grace = assigned !== undefined && 'grace' in assigned ? assigned.grace : 0
  const windowing = assigned && { assign: assigner(assigned), grace }
  const operator = new PartialAggregate(step.id, node.name, code.spec(step, node.spec), port, windowing, keyId, ctx)
  ctx.clock.add(operator)
  return operator
}

const pastOf = (store: StoreSpec, stores: TaskStores): VersionedTable | undefined =>
  store.kind === 'versioned' ? stores.versioned(store.name) : undefined
