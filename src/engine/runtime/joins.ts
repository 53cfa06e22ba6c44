import type { AnySerde, StreamJoinNode, StreamTableJoinNode, UserFn } from '../../dsl/plan/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { GracedJoin } from '../operators/graced-join.ts'
import type { OperatorContext } from '../operators/operator.ts'
import { SelfJoin } from '../operators/self-join.ts'
import { joinSpan, StreamJoin } from '../operators/stream-join.ts'
import { StreamTableJoin } from '../operators/stream-table-join.ts'
import { isVersioned, type TableReader } from '../operators/table-store.ts'
import type { Step } from '../plan/physical.ts'
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
