import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import type { PositionedPartition, RemoteLog, RemoteTopic } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import { statePrefix } from '../../../state/stores/index.ts'
import { StoreIds } from '../../app/identity.ts'
import type { Logger } from '../../app/logger.ts'
import { manifestOf, putManifest } from '../../app/manifest.ts'
import { createSavepoint, type Savepoint } from '../../app/savepoint.ts'
import { partitionCounts } from '../../plan/partitions.ts'
import type { PhysicalPlan, SubTopology } from '../../plan/physical.ts'
import { frameSlot } from '../../runtime/frame-reader.ts'
import { TASKS } from '../../runtime/task-rows.ts'
import type { InFlight } from '../../runtime/in-flight.ts'
import { aligned } from '../../runtime/ring-link.ts'
import { LATE } from '../../runtime/task-meta.ts'
import { channelSlots } from '../../runtime/transport.ts'
import { ChangelogRows, changelogsOf } from '../changelog.ts'
import { inletStore } from '../epoch.ts'
import { topicStore } from '../known-topics.ts'
import { LocalState } from '../local-state.ts'
import { isInternal, repartitionTopic } from '../names.ts'
import { readRange } from '../read-range.ts'
import { restore } from '../restore.ts'
import { outsider } from './landing.ts'

export interface SavepointOnLog {
  readonly log: RemoteLog
  readonly app: string
  readonly plan: PhysicalPlan
  readonly logger: Logger
}

const cacheBytes = 64 << 20

/**
 * Writes a savepoint of an app whose instances are stopped: the changelogs as they are, and what lies in repartition topics as
 * records in flight.
 *
 * @param folder made for it; must not exist
 * @throws DhaaraError DHAARA_SAVEPOINT: there is no such app, it runs, or the folder is there already
 */
export async function savepointOfLog(of: SavepointOnLog, folder: string, now: number): Promise<Savepoint> {
  const { log, app, plan, logger } = of
  const topics = new Map((await log.topics()).map((topic) => [topic.name, topic]))
  const others = [...topics.keys()].filter((name) => !isInternal(app, name))
  const partitions = partitionCounts(plan, (topic) => topics.get(topic)?.partitions ?? 1, others)
  const changelogs = changelogsOf(app, plan, partitions)
  for (const { topic, partitions: count } of changelogs) holdTo(topics, topic, count, app)
  await holdStill(log, app, [...topics.values()], changelogs[0]?.topic as string)
  const local = await LocalState.open(undefined, { cacheBytes })
  try {
    const ids = new StoreIds(local.backend, app)
    const rows = new ChangelogRows(changelogs, ids)
    await restore({
      log,
      local,
      rows,
      wanted: changelogs.flatMap((one) =>
        Array.from({ length: one.partitions }, (_, partition) => ({ log: one, partition })),
      ),
      topics,
      stores: [],
      logger,
      tell() {},
      signal: new AbortController().signal,
    })
    await takeInFlight(of, partitions, local, rows)
    putManifest(local.backend, app, manifestOf(plan, partitions))
    return await createSavepoint(local.backend, app, folder, now, storeName)
  } finally {
    await local.close()
  }
}

/** Stores of tasks have a number for each sub-topology here, and one for all elsewhere; some are of use on a log alone. */
function storeName(store: string): string | undefined {
  const name = store.split('@')[0] as string
  return name === inletStore || name === topicStore ? undefined : name
}

function holdTo(topics: ReadonlyMap<string, RemoteTopic>, topic: string, count: number, app: string): void {
  const there = topics.get(topic)
  if (there?.partitions === count) return
  const found = there === undefined ? 'no such topic' : `${there.partitions} partitions`
  throw new DhaaraError(
    'DHAARA_SAVEPOINT',
    `savepoint: the state of '${app}' should lie in '${topic}' with ${count} partitions, found ${found}. Give the topology that it was run with, and its application id`,
  )
}

/** Positions of an app are put where they are: that is refused while instances run. @param anyTopic where there are none */
async function holdStill(log: RemoteLog, app: string, topics: readonly RemoteTopic[], anyTopic: string): Promise<void> {
  const where = topics.flatMap(({ name: topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  )
  const offsets = await log.groupOffsets(app, where)
  const known = where.flatMap((one, i): PositionedPartition[] =>
    offsets[i] === undefined ? [] : [{ ...one, offset: offsets[i] }],
  )
  try {
    const positions = known.length > 0 ? known : [{ topic: anyTopic, partition: 0, offset: 0 }]
    await log.commitOffsets(positions, outsider(app))
  } catch (cause) {
    throw new DhaaraError(
      'DHAARA_SAVEPOINT',
      `savepoint: instances of '${app}' run, and their state moves on: ${(cause as Error).message}. Stop them first`,
      { cause },
    )
  }
}

/** Frames that no task has taken in become what is in flight to the task. */
async function takeInFlight(
  { log, app, plan }: SavepointOnLog,
  partitions: readonly number[],
  { backend }: LocalState,
  rows: ChangelogRows,
): Promise<void> {
  const { bases } = channelSlots(plan, partitions)
  for (const repartition of plan.repartitions) {
    const topic = repartitionTopic(app, repartition)
    const reading = plan.steps.find(({ op }) => op.kind === 'repartitionRead' && op.repartition.id === repartition.id)
    const sub = plan.subs[reading?.sub ?? 0] as SubTopology
    const count = partitions[sub.id] as number
    for (let partition = 0; partition < count; partition++) {
      const inlet = statePrefix(rows.idOf(inletStore, sub.id), partition)
      const row = backend.get(Buffer.concat([inlet, Buffer.from(topic)]))
      const found = new Map<string, Buffer[]>()
      for await (const batch of readRest(log, topic, partition, row === undefined ? 0 : (decodeValue(row) as number))) {
        for (let i = 0; i < batch.count; i++) {
          const frame = aligned(batch.data.subarray(batch.valueStart[i] as number, batch.valueEnd[i] as number))
          const producer = Math.floor((frameSlot(frame) - (bases[repartition.id] as number)) / count)
          const feed = `${repartition.name}|${producer}`
          found.set(feed, [...(found.get(feed) ?? []), Buffer.from(frame)])
        }
      }
      if (found.size === 0) continue
      const key = Buffer.concat([statePrefix(rows.idOf(TASKS, sub.id), partition), Buffer.from(sub.name + LATE)])
      const before = backend.get(key)
      const late = before === undefined ? [] : (decodeValue(before) as InFlight[])
      const batch = backend.batch()
      batch.put(key, encodeValue([...late, ...Array.from(found, ([feed, frames]) => ({ feed, base: 0, frames }))]))
      batch.commit()
    }
  }
}

/** What is committed from an offset to the end of a partition. */
async function* readRest(log: RemoteLog, topic: string, partition: number, from: number): AsyncGenerator<FetchedBatch> {
  const where = [{ topic, partition }]
  const [start = 0] = await log.offsets(where, 'earliest')
  const [end = 0] = await log.offsets(where, 'latest', true)
  yield* readRange(log, topic, partition, Math.max(from, start), end)
}
