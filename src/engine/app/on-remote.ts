import { type RemoteBroker, type RemoteLog, remote } from '../../connectors/broker/remote.ts'
import type { RocksOptions } from '../../state/backends/index.ts'
import { Indexes, Queries, type StoreLayout } from '../query/index.ts'
import { RemoteEngine } from '../remote/engine.ts'
import { runHere, runOnThreads } from '../remote/runner/hire.ts'
import { LocalState } from '../remote/state/local-state.ts'
import { Routing } from '../remote/queries/routing.ts'
import { StoreIds } from './state/identity.ts'
import { evolve, writeManifest } from './state/manifest.ts'
import { databaseMemory } from './settings/memory-parts.ts'
import { rowsOf, type Standing, type StandingParts } from './standing.ts'

/** An app whose topics lie elsewhere, whose tasks may be spread over instances, and whose state is kept here as well. */
export async function standOnRemote(
  broker: RemoteBroker,
  { options, settings, program, plan, events, advertised, hold, restoring }: StandingParts,
): Promise<Standing> {
  const { applicationId } = settings
  const [log, local] = await openBoth(broker, options.stateDir, databaseMemory(settings))
  hold({
    remoteLog: log,
    async release() {
      await log.release()
      await local.close()
    },
  })
  evolve(local.backend, applicationId, plan, options)
  await restoring()
  const ids = new StoreIds(local.backend, applicationId)
  local.indexes = new Indexes(plan, local.backend, ids)
  local.indexes.build([])
  const parts = { plan, settings, log, local, ids }
  const hire = program.workers === undefined ? runHere(parts) : runOnThreads(program.workers, parts)
  const dropLeft = options.allowNonRestoredState ?? false
  const engine = new RemoteEngine({ ...parts, hire, events, at: advertised, dropLeft })
  const partitionsHere = ({ sub }: StoreLayout): readonly number[] => engine.partitionsHere(sub)
  const partitionCount = ({ sub }: StoreLayout): number => engine.partitions[sub] ?? 0
  const storeId = (name: string): number | undefined => ids.find(name)
  const routing = new Routing({
    app: applicationId,
    instance: local.instance,
    topology: program.topology.hash,
    plan,
    http: options.http || {},
    own: {
      committed: { reader: local.backend, storeId, partitionCount },
      ask: engine.ask,
      check: ({ sub }, partitions) => engine.checkHere(sub, partitions),
      settle: ({ sub }, partitions) => engine.settled(sub, partitions),
    },
    view: () => engine.view,
    partitions: partitionCount,
    partitionsHere,
    beginWatch: (layout, here, watched, from, inbox, rows) =>
      engine.watches.begin(layout, ids.idOf(layout.name), here, watched, from, inbox, rows),
    rowsHere: ({ name, sub }, partitions) => rowsOf(engine.meters.tasks(), name, sub, partitions),
  })
  const queries = new Queries({
    plan,
    reader: local.backend,
    storeId,
    storeIdFor: (name) => ids.idOf(name),
    partitionsOf: partitionsHere,
    partitionCount,
    ask: engine.ask,
    routed: (isolation, settled, signal) => routing.rows({ isolation, settled }, signal),
    watched: (layout) => routing.watch(layout),
    rowsOf: (layout) => routing.estimate(layout),
    applied: engine.applied,
  })
  writeManifest(local.backend, applicationId, plan)
  return { engine, queries, routing }
}

/** At once: the client's thread takes its time to load. @throws what either throws; the other is closed then */
async function openBoth(
  broker: RemoteBroker,
  dir: string | undefined,
  memory: RocksOptions,
): Promise<[RemoteLog, LocalState]> {
  const [log, local] = await Promise.allSettled([broker[remote]({ apart: true }), LocalState.open(dir, memory)])
  if (log.status === 'fulfilled' && local.status === 'fulfilled') return [log.value, local.value]
  if (log.status === 'fulfilled') await log.value.release()
  if (local.status === 'fulfilled') await local.value.close()
  throw log.status === 'rejected' ? log.reason : (local as PromiseRejectedResult).reason
}
