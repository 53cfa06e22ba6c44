import type { AnySerde, ForeignJoinNode, StreamJoinNode, StreamTableJoinNode, UserFn } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { ForeignJoin } from '../../operators/foreign/join.ts'
import { ForeignLookup } from '../../operators/foreign/lookup.ts'
import { itemsSerde } from '../../operators/foreign/messages.ts'
import { ForeignSend } from '../../operators/foreign/send.ts'
import { GracedJoin } from '../../operators/join/graced-join.ts'
import type { OperatorContext } from '../../operators/operator.ts'
import { SelfJoin } from '../../operators/join/self-join.ts'
import { joinSpan, StreamJoin } from '../../operators/join/stream-join.ts'
import { StreamTableJoin } from '../../operators/join/stream-table-join.ts'
import { isVersioned, type TableReader } from '../../operators/table/table-reader.ts'
import type { Step } from '../../plan/physical.ts'
import { ChangeWriter, type Outlet } from '../channels/channel.ts'
import type { CurrentRecord } from '../record.ts'
import type { TaskStores } from './stores.ts'

/** What a join is made with. */
export interface Joining {
  readonly ctx: OperatorContext
  readonly stores: TaskStores
  /** The user's, as the task calls it. */
  readonly joiner: UserFn
  /** Given where values may be changed in place after they were sent. */
  readonly copy: ((value: unknown) => unknown) | undefined
}

export function streamJoin(step: Step, op: StreamJoinNode, { ctx, stores, joiner, copy }: Joining): object {
  const [left, right] = step.inputs
  const { how, windows, store } = op
  const { id, name } = step
  const spec = { how, windows, joiner, copy }
  const table = (side: string, value: AnySerde | undefined) => stores.join(side, joinSpan(windows), value)
  const join =
    left === right
      ? new SelfJoin(id, name, spec, table(store.name, op.left), ctx)
      : new StreamJoin(
          id,
          name,
          spec,
          table(`${store.name}.left`, op.left),
          table(`${store.name}.right`, op.right),
          ctx,
        )
  ctx.clock.add(join)
  return join
}

export function streamTableJoin(
  { id, name }: Step,
  { how, grace, left }: StreamTableJoinNode,
  rows: TableReader,
  { ctx, stores, joiner, copy }: Joining,
): object {
  if (grace === undefined) return new StreamTableJoin(id, name, how, joiner, rows, ctx)
  if (!isVersioned(rows)) throw new DhaaraError('DHAARA_INTERNAL', `step '${name}' waits for a table without a past`)
  const buffer = stores.join(`${name}.buffer`, joinSpan({ before: 0, after: 0, grace }), left)
  const join = new GracedJoin(id, name, { how, joiner, grace, copy }, rows, buffer, ctx)
  ctx.clock.add(join)
  return join
}

interface Sending extends Omit<Joining, 'joiner'> {
  readonly rec: CurrentRecord
  readonly partition: number
  readonly outletsOf: (repartition: number) => readonly Outlet[]
}

export function foreignSend(step: Step, node: ForeignJoinNode, foreignKey: UserFn, parts: Sending): ForeignSend {
  const { ctx, stores, copy, partition } = parts
  const [rows, follows] = step.outputs.map(({ to }) => {
    if (to.op.kind !== 'repartitionWrite')
      throw new DhaaraError('DHAARA_INTERNAL', `'${step.name}' sends to no channel`)
    const { repartition } = to.op
    return new ChangeWriter(repartition, parts.outletsOf(repartition.id), ctx.clock, parts.rec, copy)
  }) as [ChangeWriter, ChangeWriter]
  const name = storeOf(node)
  const kept = { following: stores.inner(`${name}.following`), numbers: stores.inner(`${name}.numbers`) }
  return new ForeignSend(step.id, node.name, node.how, foreignKey, kept, { rows, follows }, partition, ctx)
}

export const foreignLookup = (step: Step, node: ForeignJoinNode, rows: TableReader, stores: TaskStores) =>
  new ForeignLookup(step.id, rows, stores.subscriptions(`${storeOf(node)}.followers`))

export function foreignJoin(step: Step, op: ForeignJoinNode, { ctx, stores, joiner }: Joining): ForeignJoin {
  const [left, right] = op.inputs
  const name = storeOf(op)
  const serde = itemsSerde([left?.value, undefined, undefined, undefined, undefined, right?.value, undefined, op.value])
  const kept = {
    rows: stores.inner(`${name}.joined`, serde),
    early: stores.inner(`${name}.early`, itemsSerde([right?.value])),
    told: stores.inner(`${name}.told`),
  }
  const needsOld = step.needsOld && op.store === undefined
  return new ForeignJoin(step.id, step.name, op.how, joiner, kept, needsOld, ctx)
}

const storeOf = (node: ForeignJoinNode): string => node.store?.name ?? node.name
