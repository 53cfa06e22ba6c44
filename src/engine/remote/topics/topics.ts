import type { NewTopic, RemoteLog, RemoteTopic } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { Logger } from '../../app/settings/logger.ts'
import type { Settings } from '../../app/settings/options.ts'
import { partitionCounts } from '../../plan/partitions.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { topicsOf } from '../../runtime/inputs/topics.ts'
import type { AppTopics } from './app-topics.ts'
import { type Changelog, changelogsOf } from '../state/changelog.ts'
import { tasksThere } from './growth.ts'
import { isInternal, repartitionTopic } from './names.ts'

const compacted = { 'cleanup.policy': 'compact', 'compression.type': 'producer' }
/** Records are removed when they have been read, not by their age. */
const purged = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'segment.bytes': String(50 << 20) }

/** Most bytes of a record of theirs: what an input took grows by what goes with it, and rows hold what became of several records. */
const leastLimit = 8 << 20
const timesInput = 4

/**
 * Finds the topics of sources and sinks, and makes the app's own.
 * @throws DhaaraError DHAARA_TOPIC_UNKNOWN; TopologyError DHAARA_COPARTITION; DHAARA_TOPIC_PARTITIONS: one of the app's own
 *   has another number of partitions than the plan
 */
export async function prepareTopics(
  log: RemoteLog,
  plan: PhysicalPlan,
  settings: Settings,
  logger: Logger,
): Promise<AppTopics> {
  const app = settings.applicationId
  const found = new Map((await log.topics()).map((topic) => [topic.name, topic]))
  const others = [...found.keys()].filter((name) => !isInternal(app, name))
  await mustExist(log, plan, found, others)
  const wanted = partitionCounts(plan, (topic) => found.get(topic)?.partitions ?? 1, others)
  const partitions = tasksThere(app, plan, wanted, found)
  const changelogs = changelogsOf(app, plan, partitions)
  const repartitions = plan.repartitions.map((repartition) => {
    const reader = plan.steps.find(({ op }) => op.kind === 'repartitionRead' && op.repartition.id === repartition.id)
    const sub = reader?.sub ?? 0
    return { topic: repartitionTopic(app, repartition), partitions: partitions[sub] as number, sub }
  })
  const own: NewTopic[] = [
    ...changelogs.map(({ topic, partitions: count }) => ({ name: topic, partitions: count, configs: compacted })),
    ...repartitions.map(({ topic, partitions: count }) => ({ name: topic, partitions: count, configs: purged })),
    ...deadLetters(plan, settings),
  ]
  for (const { name, partitions: count } of own) {
    const there = found.get(name)
    if (there === undefined || there.partitions === count || name === settings.deadLetterTopic) continue
    throw new DhaaraError(
      'DHAARA_TOPIC_PARTITIONS',
      `'${name}' has ${there.partitions} partitions, and the topology needs ${count}: a source has been given others. Take its state along to so many: dhaara savepoint create, dhaara reset, dhaara savepoint restore --positions grown (docs/savepoints.md says when that is exact); or reset the app, or start with another applicationId`,
    )
  }
  const missing = own.filter(({ name }) => !found.has(name))
  if (missing.length > 0) await create(log, missing, await limitOf(log, plan, found, others), logger)
  for (const topic of await log.describe(missing.map(({ name }) => name))) found.set(topic.name, topic)
  checkIds(found, logger)
  const checked = await checkConfigs(log, changelogs, found, logger)
  await checkPurged(log, repartitions, logger)
  return { all: found, partitions, changelogs: checked, repartitions }
}

async function mustExist(
  log: RemoteLog,
  plan: PhysicalPlan,
  found: ReadonlyMap<string, RemoteTopic>,
  names: readonly string[],
): Promise<void> {
  for (const node of plan.logical.nodes) {
    const topics = node.kind === 'source' ? topicsOf(node, names) : node.kind === 'sink' ? [node.topic] : []
    for (const topic of topics) {
      if (typeof topic !== 'string' || found.has(topic)) continue
      // what may not be seen is left out where all are asked for, and refused where it is asked for by name
      await log.describe([topic])
      const what = node.kind === 'source' ? 'reads' : 'writes'
      throw new DhaaraError(
        'DHAARA_TOPIC_UNKNOWN',
        `The topology ${what} topic '${topic}', which does not exist. Create it, or correct the name; there are: ${names.slice(0, 10).join(', ') || 'none'}`,
      )
    }
  }
}

/** Of the topics that an app makes: a multiple of what those that it reads take. */
async function limitOf(
  log: RemoteLog,
  plan: PhysicalPlan,
  found: ReadonlyMap<string, RemoteTopic>,
  names: readonly string[],
): Promise<number> {
  const read = plan.logical.nodes.flatMap((node) => (node.kind === 'source' ? topicsOf(node, names) : []))
  const limits = await Promise.all(
    Array.from(new Set(read.filter((topic) => found.has(topic))), async (topic) => {
      const configs = await visible(log, topic)
      return Number(configs?.['max.message.bytes'] ?? 0)
    }),
  )
  return Math.min(Math.max(leastLimit, timesInput * Math.max(0, ...limits)), 2 ** 31 - 1)
}

/** Where a cluster's policy does not allow that much, topics are as it makes them. */
async function create(log: RemoteLog, topics: readonly NewTopic[], limit: number, logger: Logger): Promise<void> {
  const name = 'max.message.bytes'
  try {
    await log.createTopics(topics.map((topic) => ({ ...topic, configs: { ...topic.configs, [name]: String(limit) } })))
  } catch (error) {
    if (!(error instanceof DhaaraError) || error.code !== 'DHAARA_KAFKA_REQUEST') throw error
    await log.createTopics(topics)
    logger.warn(
      { error: error.message, [name]: limit },
      "the cluster does not let topics of the app's own take so large records: they take what it allows by default",
    )
  }
}

/** Where an error may send a record there. */
function deadLetters(plan: PhysicalPlan, { policies, deadLetterTopic }: Settings): NewTopic[] {
  const may = (policy: unknown): boolean => policy === 'deadLetter' || typeof policy === 'function'
  const needed =
    Object.values(policies).some(may) ||
    plan.logical.nodes.some((node) => node.kind === 'source' && may(node.onInvalid))
  return needed ? [{ name: deadLetterTopic, partitions: 1, configs: { 'retention.ms': '-1' } }] : []
}

/** undefined: this user may not see it, and nothing depends on it but that somebody is warned. */
async function configsOf(
  log: RemoteLog,
  topic: string,
  logger: Logger,
): Promise<Readonly<Record<string, string>> | undefined> {
  const configs = await visible(log, topic)
  if (configs === undefined)
    logger.warn({ topic }, 'how a topic is kept could not be checked: the right DescribeConfigs on it is missing')
  return configs
}

async function visible(log: RemoteLog, topic: string): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    return await log.configs(topic, true)
  } catch (error) {
    if (error instanceof DhaaraError && error.code === 'DHAARA_KAFKA_AUTH') return undefined
    throw error
  }
}

/** Says so where topics have no ids. */
function checkIds(found: ReadonlyMap<string, RemoteTopic>, logger: Logger): void {
  const topics = [...found.values()].filter(({ id }) => id === '').map(({ name }) => name)
  if (topics.length === 0) return
  logger.warn(
    { topics: topics.slice(0, 10), count: topics.length },
    'the cluster gives topics no ids: one that is deleted and made again cannot be told from what it was, and is read on from the old position. Raise inter.broker.protocol.version to 2.8 or newer',
  )
}

/** What is at odds with how a repartition's topic has to be kept: until it was read. */
async function checkPurged(
  log: RemoteLog,
  repartitions: readonly { readonly topic: string }[],
  logger: Logger,
): Promise<void> {
  await Promise.all(
    repartitions.map(async ({ topic }) => {
      const configs = await configsOf(log, topic, logger)
      if (configs === undefined) return
      for (const name of ['cleanup.policy', 'retention.ms'] as const) {
        if (configs[name] !== purged[name])
          logger.warn(
            { topic, config: name, found: configs[name] ?? 'the default', expected: purged[name] },
            `a repartition is not kept as it was made: records may be gone before they are read. Set ${name}=${purged[name]}`,
          )
      }
    }),
  )
}

/** What is at odds with how a changelog has to be kept. */
async function checkConfigs(
  log: RemoteLog,
  changelogs: readonly Changelog[],
  found: ReadonlyMap<string, RemoteTopic>,
  logger: Logger,
): Promise<Changelog[]> {
  return Promise.all(
    changelogs.map(async (changelog) => {
      const { topic } = changelog
      const configs = await configsOf(log, topic, logger)
      if (configs === undefined) return changelog
      const policy = configs['cleanup.policy']
      if (policy !== 'compact')
        logger.warn(
          { topic, found: policy ?? 'the default', expected: 'compact' },
          'a changelog is not kept as it was made: state may be lost. Set cleanup.policy=compact',
        )
      const replicas = found.get(topic)?.replicas ?? 1
      const inSync = Number(configs['min.insync.replicas'] ?? 1)
      if (replicas > 1 && inSync < 2)
        logger.warn(
          { topic, replicas, 'min.insync.replicas': inSync },
          'a write to a changelog may be acknowledged by one broker alone, and be lost with it. Set min.insync.replicas=2',
        )
      const tombstonesFor = Number(configs['delete.retention.ms'])
      return Number.isFinite(tombstonesFor) ? { ...changelog, tombstonesFor } : changelog
    }),
  )
}
