import type { EmbeddedLease } from '../../connectors/broker/broker.ts'
import type { StoreIds } from '../app/state/identity.ts'
import type { Settings } from '../app/settings/options.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { Deliveries, type DeliveryHost } from './deliveries.ts'

/** Deliveries beside a database that this thread writes: what a sink has is on record at once. */
export function embeddedDeliveries(
  plan: PhysicalPlan,
  settings: Settings,
  { backend }: EmbeddedLease,
  ids: StoreIds,
  partitions: readonly number[],
  events: Pick<DeliveryHost, 'wake' | 'failed'>,
): Deliveries {
  return new Deliveries(plan, {
    reader: backend,
    settings,
    storeId: (name) => ids.idOf(name),
    partitions: (sub) => Array.from({ length: partitions[sub] as number }, (_, partition) => partition),
    count: (sub) => partitions[sub] as number,
    settle(key, value, gone) {
      const batch = backend.batch()
      for (const row of gone) batch.delete(row)
      batch.put(key, value)
      batch.commit({ sync: settings.sync === 'commit' })
    },
    ...events,
  })
}
