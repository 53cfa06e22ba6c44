import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import { after, STATE_SPACE } from '../../state/stores/index.ts'
import type { StoreIds } from '../app/identity.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { batchKey, outboxStore, outboxSuffix } from './outbox-rows.ts'

/**
 * Sources and sinks of the user's own run beside the embedded log alone: their positions and what waits for them are rows of
 * its database.
 *
 * @throws DhaaraError DHAARA_UNSUPPORTED
 */
export function refuseOwn(plan: PhysicalPlan, broker: string): void {
  const own = plan.logical.nodes.filter(
    (node) => node.kind === 'deliver' || (node.kind === 'source' && node.own !== undefined),
  )
  if (own.length === 0) return
  const names = own.map(({ name, kind }) => `${kind === 'source' ? 'source' : 'sink'} '${name}'`).join(', ')
  throw new DhaaraError(
    'DHAARA_UNSUPPORTED',
    `the broker is of kind '${broker}', and the topology has ${names}, which no topic stands behind; run it on embeddedBroker(), or read and write topics: stream(topic), to(topic)`,
    { step: own[0]?.name },
  )
}

/**
 * A sink that is gone from the topology must not take along what it was never given.
 *
 * @throws DhaaraError DHAARA_STATE_INCOMPATIBLE
 */
export function refuseLeft(reader: BackendReader, ids: StoreIds, plan: PhysicalPlan, app: string): void {
  const there = new Set(plan.logical.nodes.flatMap(({ kind, name }) => (kind === 'deliver' ? [outboxStore(name)] : [])))
  for (const [store, id] of ids.all()) {
    if (!store.endsWith(outboxSuffix) || there.has(store)) continue
    const start = Buffer.of(STATE_SPACE, id >> 8, id & 0xff)
    for (const [key] of reader.range({ gte: start, lt: after(start) })) {
      if (key[5] !== batchKey) continue
      const sink = store.slice(0, -outboxSuffix.length)
      throw new DhaaraError(
        'DHAARA_STATE_INCOMPATIBLE',
        `the state of '${app}' has records for the sink '${sink}', which the topology has no more; give it its name back, say {renames: {${JSON.stringify(sink)}: new}}, or drop them with {allowNonRestoredState: true}`,
        { step: sink },
      )
    }
  }
}
