import type { StoreSpec } from '../../../dsl/plan/index.ts'
import { KeyValueAccess, ReadOnlyKeyValue } from '../../access/key-value.ts'
import { ListAccess } from '../../access/list.ts'
import { MatchAccess } from '../../access/match.ts'
import { VersionedAccess, VersionedTableAccess } from '../../access/versioned.ts'
import { Match } from '../../operators/match/match.ts'
import type { Step } from '../../plan/physical.ts'
import type { TaskStores } from './stores.ts'
import { type Handed, windowedAccess } from './windowed.ts'

/** The handle through which user code and the test driver see a store; `owner`: the step whose table it is. */
export function storeAccess(
  stores: TaskStores,
  spec: StoreSpec,
  owner: Step | undefined,
  now: () => number,
  handed: Handed = {},
): unknown {
  const aggregate = owner !== undefined && 'spec' in owner.op ? owner.op : undefined
  const result = aggregate?.spec.result ?? ((state: unknown) => state)
  const { show: freeze, keep } = handed
  const show = freeze === undefined ? result : (state: unknown) => freeze(result(state))
  if (spec.kind === 'window' || spec.kind === 'session')
    return windowedAccess(
      stores,
      spec,
      aggregate?.kind === 'aggregate' ? aggregate : undefined,
      owner?.needsOld ?? false,
      now,
      handed,
    )
  if (owner?.op.kind === 'match') {
    const { client } = stores.parts(spec.name)
    if (client instanceof Match) return new MatchAccess(client)
  }
  if (spec.kind === 'versioned') {
    const table = stores.versioned(spec.name)
    return owner === undefined ? new VersionedAccess(table, show, keep) : new VersionedTableAccess(table, show)
  }
  if (spec.kind === 'list') return new ListAccess(stores.keyValue(spec.name), now, show, keep)
  const access = new KeyValueAccess(stores.keyValue(spec.name), now, show, keep)
  return owner === undefined ? access : new ReadOnlyKeyValue(access)
}
