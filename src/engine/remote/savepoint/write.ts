import { existsSync } from 'node:fs'
import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import type { PositionedPartition, RemoteLog, RemoteTopic } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { encodeValue } from '../../../state/codec/index.ts'
import { statePrefix } from '../../../state/stores/index.ts'
import { StoreIds } from '../../app/state/identity.ts'
import type { Logger } from '../../app/settings/logger.ts'
import { manifestOf, putManifest } from '../../app/state/manifest.ts'
import { createSavepoint, type Savepoint } from '../../app/state/savepoint.ts'
import { partitionCounts } from '../../plan/partitions.ts'
import type { PhysicalPlan, SubTopology } from '../../plan/physical.ts'
import { frameSlot } from '../../runtime/channels/frame-reader.ts'
import { TASKS } from '../../runtime/tasks/task-rows.ts'
import { unsealed } from '../../runtime/tasks/task-meta.ts'
import { aligned } from '../../runtime/channels/ring-link.ts'
import { countRows, putRows, shares } from '../../runtime/tasks/in-flight-rows.ts'
import { channelSlots } from '../../runtime/channels/transport.ts'
import { ChangelogRows, changelogsOf } from '../state/changelog.ts'
import type { Cut } from '../group/cut.ts'
import { inletPosition, inletStore } from '../state/inlets.ts'
import { topicStore } from '../topics/known-topics.ts'
import { LocalState } from '../state/local-state.ts'
import { isInternal, repartitionTopic, tasksTopic } from '../topics/names.ts'
import { readRange } from '../read-range.ts'
import { restore } from '../state/restore.ts'
import type { AppTopics } from '../topics/app-topics.ts'
import { outsider } from './landing.ts'

export interface SavepointOnLog {
  readonly log: RemoteLog
  readonly app: string
  readonly plan: PhysicalPlan
  readonly logger: Logger
}

const cacheBytes = 64 << 20
/** While an app runs its repartitions are purged every so many epochs. */
const mostTries = 5

/**
 * Writes a savepoint of an app whose instances are stopped: the changelogs as they are, and what lies in repartition topics as
 * records in flight.
 *
 * @param folder made for it; must not exist
 * @throws DhaaraError DHAARA_SAVEPOINT: there is no such app, it runs, or the folder is there already
 */
export async function savepointOfLog(of: SavepointOnLog, folder: string, now: number): Promise<Savepoint> {
  const { log, app, plan } = of
  const topics = new Map((await log.topics()).map((topic) => [topic.name, topic]))
  const others = [...topics.keys()].filter((name) => !isInternal(app, name))
  const wanted = partitionCounts(plan, (topic) => topics.get(topic)?.partitions ?? 1, others)
  // its inputs may have been given more partitions since: that is what stopped it
  const partitions = wanted.map(
    (count, id) => topics.get(tasksTopic(app, plan.subs[id] as SubTopology))?.partitions ?? count,
  )
  const changelogs = changelogsOf(app, plan, partitions)
  for (const { topic, partitions: count } of changelogs) holdTo(topics, topic, count, app)
  await holdStill(log, app, [...topics.values()], changelogs[0]?.topic as string)
  const copy = await Copy.begin(of, { changelogs, partitions, all: topics })
  try {
    await copy.read()
    await copy.takeInFlight()
    return await copy.write(folder, now)
  } finally {
    await copy.close()
  }
}

/**
 * Writes a savepoint of an app that runs. Its changelogs are read first, while it goes on; then up to a cut, which is not far
 * from there: so soon neither compaction nor whoever purges repartitions has taken away what lay before the cut.
 *
 * @param cut finds a moment at which no task commits
 * @param folder made for it; must not exist
 * @throws DhaaraError DHAARA_SAVEPOINT: there was no such moment, or the folder is there already
 */
export async function savepointOfRunning(
  of: SavepointOnLog,
  topics: Topics,
  cut: () => Promise<Cut>,
  folder: string,
  now: number,
): Promise<Savepoint> {
  refuseFolder(folder)
  for (let tries = 1; ; tries++) {
    const copy = await Copy.begin(of, topics)
    try {
      await copy.read()
      const ends = await cut()
      await copy.read(ends)
      await copy.takeInFlight(ends)
      return await copy.write(folder, now)
    } catch (error) {
      const purged = error instanceof DhaaraError && error.code === 'DHAARA_KAFKA_OFFSET'
      if (!purged || tries === mostTries) throw error
      of.logger.warn({ error: error.message }, 'the savepoint is begun anew: what it was about to read is gone')
    } finally {
      await copy.close()
    }
  }
}

function refuseFolder(folder: string): void {
  if (!existsSync(folder)) return
  throw new DhaaraError('DHAARA_SAVEPOINT', `savepoint: ${folder} is there already; choose one that does not exist`)
}

type Topics = Pick<AppTopics, 'changelogs' | 'partitions' | 'all'>

/** The state of an app, put together from its topics in a directory that goes when it is closed. */
class Copy {
  private readonly of: SavepointOnLog
  private readonly topics: Topics
  private readonly local: LocalState
  private readonly rows: ChangelogRows

  static async begin(of: SavepointOnLog, topics: Topics): Promise<Copy> {
    return new Copy(of, topics, await LocalState.open(undefined, { cacheBytes }))
  }

  private constructor(of: SavepointOnLog, topics: Topics, local: LocalState) {
    this.of = of
    this.topics = topics
    this.local = local
    this.rows = new ChangelogRows(topics.changelogs, new StoreIds(local.backend, of.app))
  }

  /** Goes on where it was. @param cut default: to the end */
  async read(cut?: Cut): Promise<void> {
    const { local, rows } = this
    const { log, logger } = this.of
    const { changelogs, all } = this.topics
    await restore({
      log,
      local,
      rows,
      wanted: changelogs.flatMap((one) =>
        Array.from({ length: one.partitions }, (_, partition) => ({ log: one, partition })),
      ),
      topics: all,
      stores: [],
      logger,
      tell() {},
      signal: new AbortController().signal,
      ...(cut === undefined ? {} : { until: (topic, partition) => endIn(cut, topic, partition) }),
    })
  }

  async takeInFlight(cut?: Cut): Promise<void> {
    await takeInFlight(this.of, this.topics.partitions, this.local, this.rows, cut)
  }

  write(folder: string, now: number): Promise<Savepoint> {
    const { app, plan } = this.of
    const { backend } = this.local
    putManifest(backend, app, manifestOf(plan, this.topics.partitions))
    return createSavepoint(backend, app, folder, now, storeName)
  }

  close(): Promise<void> {
    return this.local.close()
  }
}

const endIn = (cut: Cut, topic: string, partition: number): number => cut[topic]?.[partition] ?? 0

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
      `savepoint: instances of '${app}' run, and their state moves on: ${(cause as Error).message}. Ask one of them (app.savepoint(), or --url of one with http: {admin: true}), or stop them first`,
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
  cut: Cut | undefined,
): Promise<void> {
  const { bases } = channelSlots(plan, partitions)
  for (const repartition of plan.repartitions) {
    const topic = repartitionTopic(app, repartition)
    const reading = plan.steps.find(({ op }) => op.kind === 'repartitionRead' && op.repartition.id === repartition.id)
    const sub = plan.subs[reading?.sub ?? 0] as SubTopology
    const count = partitions[sub.id] as number
    for (let partition = 0; partition < count; partition++) {
      const found = new Map<string, Buffer[]>()
      const from = inletPosition(backend, rows, { sub: sub.id, topic, partition }) ?? 0
      const end = cut === undefined ? undefined : endIn(cut, topic, partition)
      for await (const batch of readRest(log, topic, partition, from, end)) {
        for (let i = 0; i < batch.count; i++) {
          if (end !== undefined && (batch.offsets[i] as number) >= end) break
          const frame = aligned(batch.data.subarray(batch.valueStart[i] as number, batch.valueEnd[i] as number))
          const producer = Math.floor((frameSlot(frame) - (bases[repartition.id] as number)) / count)
          const feed = `${repartition.name}|${producer}`
          const frames = found.get(feed)
          if (frames === undefined) found.set(feed, [Buffer.from(frame)])
          else frames.push(Buffer.from(frame))
        }
      }
      if (found.size === 0) continue
      const prefix = statePrefix(rows.idOf(TASKS, sub.id), partition)
      const inFlight = shares(Array.from(found, ([feed, frames]) => ({ feed, base: 0, frames })))
      const batch = backend.batch()
      const own = Buffer.concat([prefix, Buffer.from(sub.name)])
      // what was sent to it may be there before it has ended its first epoch
      if (backend.get(own) === undefined) batch.put(own, encodeValue(unsealed))
      putRows(batch, 'late', prefix, sub.name, inFlight, countRows(backend, 'late', prefix, sub.name))
      batch.commit()
    }
  }
}

/**
 * What is committed from an offset to the end of a partition.
 *
 * @param cut where that is, while an app runs
 * @throws DhaaraError DHAARA_KAFKA_OFFSET: it runs, and has let go of what it has read since
 */
async function* readRest(
  log: RemoteLog,
  topic: string,
  partition: number,
  from: number,
  cut: number | undefined,
): AsyncGenerator<FetchedBatch> {
  const where = [{ topic, partition }]
  const [start = 0] = await log.offsets(where, 'earliest')
  const [end = 0] = cut === undefined ? await log.offsets(where, 'latest', true) : [cut]
  if (cut !== undefined && from < end && start > from)
    throw new DhaaraError(
      'DHAARA_KAFKA_OFFSET',
      `savepoint: '${topic}' partition ${partition} begins at ${start}, and what is in flight there from ${from} on`,
    )
  yield* readRange(log, topic, partition, Math.max(from, start), end)
}
