import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import { after, STATE_SPACE } from '../../state/stores/index.ts'
import type { StoreIds } from '../app/state/identity.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { batchKey, outboxStore, outboxSuffix } from './outbox-rows.ts'

/**
 * A sink that is gone from the topology must not take along what it was never given.
 *
 * @throws DhaaraError DHAARA_STATE_INCOMPATIBLE
 */
export function refuseLeft(reader: BackendReader, ids: StoreIds, plan: PhysicalPlan, app: string): void {
  for (const [store, id] of ids.all())
    if (isLeft(store, plan)) refuseRows(reader, store, Buffer.of(STATE_SPACE, id >> 8, id & 0xff), app)
}

/** A store of what waits for a sink that the topology does not have. */
export const isLeft = (store: string, plan: PhysicalPlan): boolean =>
  store.endsWith(outboxSuffix) &&
  !plan.logical.nodes.some(({ kind, name }) => kind === 'deliver' && outboxStore(name) === store)

/** @param prefix of the store, or of one of its partitions @throws DhaaraError DHAARA_STATE_INCOMPATIBLE: rows wait there */
export function refuseRows(reader: BackendReader, store: string, prefix: Buffer, app: string): void {
  for (const [key] of reader.range({ gte: prefix, lt: after(prefix) })) {
    if (key[5] !== batchKey) continue
    const sink = store.slice(0, -outboxSuffix.length)
    throw new DhaaraError(
      'DHAARA_STATE_INCOMPATIBLE',
      `the state of '${app}' has records for the sink '${sink}', which the topology has no more; give it its name back, say {renames: {${JSON.stringify(sink)}: new}}, or drop them with {allowNonRestoredState: true}`,
      { step: sink },
    )
  }
}
