import { type Broker, openEmbedded } from '../../connectors/broker/broker.ts'
import { refuseLeft } from '../connect/refuse.ts'
import { DhaaraError } from '../../errors/index.ts'
import { jsonRowsByText, Queries, type RowRequest, rowsRequest } from '../query/index.ts'
import type { Engine } from './engine.ts'
import { StoreIds } from './state/identity.ts'
import { LocalEngine } from './local/local-engine.ts'
import { evolve, settle } from './state/manifest.ts'
import { databaseMemory } from './settings/memory-parts.ts'
import { savepointRequest } from './state/savepoint.ts'
import { sourcePartitions } from './topics/source-partitions.ts'
import { rowsOf, type Standing, type StandingParts } from './standing.ts'
import { WorkerEngine } from './workers/worker-engine.ts'

/** An app whose topics and state lie in one database of this machine. */
export async function standOnEmbedded(
  broker: Broker,
  { options, settings, program, plan, events, hold, restoring, savepoint }: StandingParts,
): Promise<Standing> {
  const { applicationId } = settings
  const lease = await openEmbedded(broker, databaseMemory(settings))
  hold({ backend: lease.backend, embedded: lease, release: () => lease.release() })
  evolve(lease.backend, applicationId, plan, options)
  const partitions = sourcePartitions(plan, lease)
  settle(lease.backend, applicationId, plan, partitions, lease.log, options.renames)
  const ids = new StoreIds(lease.backend, applicationId)
  if (options.allowNonRestoredState !== true) refuseLeft(lease.backend, ids, plan, applicationId)
  const asked: { queries?: Queries } = {}
  // other processes of the machine
  const answering = [
    lease.handle(savepointRequest(applicationId), (params) => savepoint((params as { folder: string }).folder)),
    lease.handle(rowsRequest(applicationId), (params) => {
      if (asked.queries === undefined)
        throw new DhaaraError('DHAARA_RESTORING', `'${applicationId}' is starting; ask again`)
      return jsonRowsByText(asked.queries, params as RowRequest)
    }),
  ]
  hold({
    backend: lease.backend,
    embedded: lease,
    release() {
      for (const request of answering) request[Symbol.dispose]()
      return lease.release()
    },
  })
  await restoring()
  const { workers } = program
  const engine: Engine =
    workers === undefined
      ? new LocalEngine(plan, partitions, settings, lease, ids, events)
      : new WorkerEngine(plan, partitions, workers, settings, lease, ids, events)
  const partitionsOf = engine.partitions.map((count) => Array.from({ length: count }, (_, partition) => partition))
  const all = (sub: number) => partitionsOf[sub] ?? []
  const queries = new Queries({
    plan,
    reader: lease.backend,
    storeId: (name) => ids.find(name),
    storeIdFor: (name) => ids.idOf(name),
    partitionsOf: ({ sub }) => all(sub),
    partitionCount: ({ sub }) => all(sub).length,
    ask: engine.ask,
    asked: () => engine.heed?.(),
    settle: () => lease.log.settle(),
    changes: engine.changes,
    applied: engine.applied,
    rowsOf: ({ name, sub }) => rowsOf(engine.meters.tasks(), name, sub, all(sub)),
  })
  asked.queries = queries
  return { engine, queries }
}
