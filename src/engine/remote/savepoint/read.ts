import { readFrames } from '../../../connectors/broker/frame.ts'
import { FrameBuilder } from '../../../connectors/broker/frame-builder.ts'
import type { ReadableLog } from '../../../connectors/broker/log.ts'
import type { PositionedPartition, RemoteLog, RemoteTopic, RemoteWriter } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { decodeValue } from '../../../state/codec/index.ts'
import { after, STATE_SPACE } from '../../../state/stores/index.ts'
import type { Backend } from '../../../state/backend.ts'
import { StoreIds } from '../../app/state/identity.ts'
import { type Evolution, evolve, settle } from '../../app/state/manifest.ts'
import type { Settings } from '../../app/settings/options.ts'
import { restoreSavepoint, type Savepoint } from '../../app/state/savepoint.ts'
import { outboxStore } from '../../connect/outbox-rows.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { layoutsOf, type Positions } from '../../rescale/index.ts'
import { TASKS } from '../../runtime/tasks/task-rows.ts'
import { taskRowOf } from '../../runtime/tasks/in-flight-rows.ts'
import type { TaskMeta } from '../../runtime/tasks/task-meta.ts'
import { topicsOf } from '../../runtime/inputs/topics.ts'
import type { Changelog } from '../state/changelog.ts'
import { LocalState } from '../state/local-state.ts'
import { isInternal } from '../topics/names.ts'
import { prepareTopics } from '../topics/topics.ts'
import { Landing } from './landing.ts'

export interface RestoreOnLog {
  readonly log: RemoteLog
  readonly settings: Settings
  readonly plan: PhysicalPlan
  readonly evolution?: Evolution
}

const cacheBytes = 64 << 20
const bytesAtOnce = 512 * 1024
/** Batches that are on their way before more rows are read. */
const mostSends = 32

/**
 * Puts a savepoint into the changelogs of an app that has none, spread over the partitions that its topics have there, and the
 * group's positions with it, in one transaction. Instances that start then restore it as any state.
 *
 * @param positions as for `restoreSavepoint`
 * @throws DhaaraError DHAARA_SAVEPOINT, DHAARA_STATE_INCOMPATIBLE, DHAARA_TOPIC_UNKNOWN, DHAARA_COPARTITION
 */
export async function savepointToLog(to: RestoreOnLog, folder: string, positions: Positions): Promise<Savepoint> {
  const { log, settings, plan, evolution = {} } = to
  const { applicationId: app, logger } = settings
  const landing = await Landing.begin(log, app, logger)
  const local = await LocalState.open(undefined, { cacheBytes })
  try {
    const there = (await log.topics()).filter(({ name }) => isInternal(app, name))
    if (there.length > 0)
      throw new DhaaraError(
        'DHAARA_SAVEPOINT',
        `savepoint: '${app}' has state on the cluster (${there[0]?.name}), expected none; drop it first: dhaara reset --brokers … --application-id ${app}`,
      )
    const { backend } = local
    const savepoint = await restoreSavepoint(backend, app, folder, positions)
    evolve(backend, app, plan, evolution)
    try {
      // what is wrong with the topics shows before any is made
      const topics = await prepareTopics(log, plan, settings, logger)
      settle(backend, app, plan, topics.partitions, await readable(log, app, plan, topics.all), evolution.renames ?? {})
      await send(to, landing, backend, topics.changelogs)
    } catch (error) {
      if (!(await landing.settle(error))) throw error
    }
    return savepoint
  } finally {
    await landing.close()
    await local.close()
  }
}

async function send(
  { settings, plan }: RestoreOnLog,
  landing: Landing,
  backend: Backend,
  changelogs: readonly Changelog[],
): Promise<void> {
  await landing.prepare(changelogs)
  const out = new ChangelogWriter(landing.writer)
  const places = new Places(plan, changelogs)
  const positions = new Map<string, PositionedPartition>()
  for (const [name, id] of new StoreIds(backend, settings.applicationId).all()) {
    const start = Buffer.of(STATE_SPACE, id >> 8, id & 0xff)
    for (const [bytes, value] of backend.range({ gte: start, lt: after(start) })) {
      const key = Buffer.from(bytes)
      const partition = key.readUInt16BE(3)
      const own = key.subarray(5)
      if (name === TASKS && !taskRowOf(own.toString()).inFlight) note(positions, plan, decodeValue(value) as TaskMeta)
      await out.add(places.of(name, own), partition, name, own, Buffer.from(value))
    }
  }
  await out.end()
  await landing.commit([...positions.values()])
}

/** The lowest position of each partition that a task reads for itself. */
function note(positions: Map<string, PositionedPartition>, plan: PhysicalPlan, meta: TaskMeta): void {
  for (const [step, topic, partition, offset] of meta.positions) {
    if (plan.logical.nodes.some((node) => node.kind === 'source' && node.global && node.name === step)) continue
    const name = `${partition}/${topic}`
    const known = positions.get(name)
    if (known === undefined || offset < known.offset) positions.set(name, { topic, partition, offset })
  }
}

/** Which changelog a row goes to. */
class Places {
  private readonly plan: PhysicalPlan
  private readonly own: ReadonlyMap<string, Changelog>
  private readonly shared: ReadonlyMap<number, Changelog>
  private readonly subs: ReadonlyMap<string, number>

  constructor(plan: PhysicalPlan, changelogs: readonly Changelog[]) {
    this.plan = plan
    this.own = new Map(changelogs.flatMap((log) => (log.store === undefined ? [] : [[log.store, log] as const])))
    this.shared = new Map(changelogs.flatMap((log) => (log.store === undefined ? [[log.sub, log] as const] : [])))
    this.subs = new Map([
      ...Array.from(layoutsOf(plan), ([name, { sub }]) => [name, sub] as const),
      ...plan.steps.flatMap(({ op, sub }) => (op.kind === 'deliver' ? [[outboxStore(op.name), sub] as const] : [])),
    ])
  }

  of(store: string, key: Buffer): Changelog {
    const own = this.own.get(store)
    if (own !== undefined) return own
    const sub = store === TASKS ? this.subOf(taskRowOf(key.toString()).sub) : this.subs.get(store)
    const shared = sub === undefined ? undefined : this.shared.get(sub)
    if (shared !== undefined) return shared
    const what = store === TASKS ? `the sub-topology '${taskRowOf(key.toString()).sub}'` : `the store '${store}'`
    const message = `savepoint: no step of the topology has ${what}; start from it with the topology that wrote it, or give {renames}`
    throw new DhaaraError('DHAARA_SAVEPOINT', message)
  }

  private subOf(name: string): number | undefined {
    return this.plan.subs.find((sub) => sub.name === name)?.id
  }
}

/** Rows on their way to their topics, a builder a partition. */
class ChangelogWriter {
  private readonly writer: RemoteWriter
  private readonly builders = new Map<string, { topic: string; partition: number; builder: FrameBuilder }>()
  private readonly now = Date.now()
  private sends: Promise<unknown>[] = []

  constructor(writer: RemoteWriter) {
    this.writer = writer
  }

  async add({ topic, store }: Changelog, partition: number, name: string, own: Buffer, value: Buffer): Promise<void> {
    const place = `${partition}/${topic}`
    const found = this.builders.get(place) ?? {
      topic,
      partition,
      builder: new FrameBuilder({ maxRecordBytes: 2 ** 29 }),
    }
    this.builders.set(place, found)
    const text = Buffer.from(name)
    found.builder.add(store === undefined ? Buffer.concat([Buffer.of(text.length), text, own]) : own, value, this.now)
    if (found.builder.bytes < bytesAtOnce) return
    this.cut(found)
    if (this.sends.length >= mostSends) await this.settle()
  }

  async end(): Promise<void> {
    for (const one of this.builders.values()) if (one.builder.count > 0) this.cut(one)
    await this.settle()
  }

  private cut({ topic, partition, builder }: { topic: string; partition: number; builder: FrameBuilder }): void {
    const rows = readFrames(topic, partition, [builder.finish()], Number.NEGATIVE_INFINITY)
    if (rows !== undefined) this.sends.push(this.writer.send(topic, partition, rows))
  }

  private async settle(): Promise<void> {
    const { sends } = this
    this.sends = []
    await Promise.all(sends)
  }
}

/** As of now, what moving rows asks of topics. */
async function readable(
  log: RemoteLog,
  app: string,
  plan: PhysicalPlan,
  topics: ReadonlyMap<string, RemoteTopic>,
): Promise<ReadableLog> {
  const names = [...topics.keys()].filter((name) => !isInternal(app, name))
  // others may be deleted meanwhile
  const read = new Set(plan.logical.nodes.flatMap((node) => (node.kind === 'source' ? topicsOf(node, names) : [])))
  const where = [...read].flatMap((topic) =>
    Array.from({ length: topics.get(topic)?.partitions ?? 0 }, (_, partition) => ({ topic, partition })),
  )
  const [starts, ends] = await Promise.all([log.offsets(where, 'earliest'), log.offsets(where, 'latest')])
  const at = new Map(where.map(({ topic, partition }, i) => [`${partition}/${topic}`, i]))
  const of = (all: readonly number[]) => (topic: string, partition: number) =>
    all[at.get(`${partition}/${topic}`) ?? -1] ?? 0
  return {
    topics: () => [...topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    topic: (name) => topics.get(name),
    startOffset: of(starts),
    endOffset: of(ends),
    fetch: () => undefined,
    groupOffset: () => undefined,
  }
}
