import type { PositionedPartition, RemoteTopic } from '../../../connectors/broker/remote.ts'
import type { PhysicalPlan, SubTopology } from '../../plan/physical.ts'
import type { EngineParts, Share } from '../engine-parts.ts'
import { Inputs } from '../inputs.ts'
import { tasksTopic } from './names.ts'
import type { AppTopics } from './app-topics.ts'

/** Steps that know nothing of the records before. */
const forgetful: ReadonlySet<string> = new Set([
  ...['source', 'sink', 'merge', 'split', 'branch', 'toStream'],
  ...['filter', 'mapValues', 'map', 'flatMap', 'flatMapValues', 'selectKey', 'peek', 'forEach'],
])

/**
 * Whether it does not matter which of its tasks a record comes to: it keeps nothing, and sends nothing to tasks that do. Then it
 * may have more tasks while it runs.
 */
export const mayGrow = ({ steps, stores, inputs }: SubTopology): boolean =>
  stores.length === 0 &&
  steps.every(({ op }) => forgetful.has(op.kind)) &&
  inputs.every(({ op }) => op.kind === 'source' && op.own === undefined && !op.global)

type Topics = ReadonlyMap<string, RemoteTopic>

/** As many tasks as there are by the topic in which they keep their positions; that is made larger first, when they become more. */
export function tasksThere(app: string, plan: PhysicalPlan, wanted: readonly number[], found: Topics): number[] {
  return wanted.map((count, id) => {
    const sub = plan.subs[id] as SubTopology
    const there = found.get(tasksTopic(app, sub))?.partitions
    return there !== undefined && there < count && mayGrow(sub) ? there : count
  })
}

/** What others have made larger. @returns undefined: nothing */
function grownBy(app: string, plan: PhysicalPlan, before: AppTopics, found: Topics): AppTopics | undefined {
  const all = new Map(before.all)
  const partitions = plan.subs.map((sub, id) => {
    const known = before.partitions[id] as number
    const there = found.get(tasksTopic(app, sub))?.partitions ?? known
    return mayGrow(sub) ? Math.max(known, there) : known
  })
  if (partitions.every((count, id) => count === before.partitions[id])) return undefined
  for (const name of all.keys()) all.set(name, found.get(name) ?? (all.get(name) as RemoteTopic))
  const changelogs = before.changelogs.map((one) => ({ ...one, partitions: partitions[one.sub] as number }))
  return { ...before, all, partitions, changelogs }
}

/** Takes over what others have made larger. @returns whether there was anything */
export async function adoptGrowth({ settings, plan, log }: EngineParts, share: Share): Promise<boolean> {
  const app = settings.applicationId
  const found = new Map((await log.topics()).map((topic) => [topic.name, topic]))
  const topics = grownBy(app, plan, share.inputs.topics, found)
  if (topics === undefined) return false
  share.inputs = new Inputs(app, plan, topics)
  share.ends.inputs = share.inputs
  settings.logger.info(
    { tasks: share.inputs.tasks.length },
    'inputs have more partitions, which get tasks of their own',
  )
  return true
}

/** Topics with more partitions than the tasks that read them, where more tasks may be made: how many each sub-topology needs. */
function wantedTasks(plan: PhysicalPlan, { inputs }: Share, found: readonly RemoteTopic[]): Map<number, number> {
  const counts = new Map(found.map(({ name, partitions }) => [name, partitions]))
  const wanted = new Map<number, number>()
  for (const sub of plan.subs.filter(mayGrow)) {
    const topics = sub.inputs.flatMap(({ op }) => (op.kind === 'source' ? inputs.topicsOf(op) : []))
    const most = Math.max(...topics.map((topic) => counts.get(topic) ?? 0))
    if (most > (inputs.topics.partitions[sub.id] as number)) wanted.set(sub.id, most)
  }
  return wanted
}

/**
 * Makes tasks for partitions that inputs have been given. They are read from their beginning, whatever the source's policy: that is
 * put on record before anybody can have these tasks, by somebody whom the group knows as it is.
 *
 * @returns whether there was anything; then the group is to be joined again
 */
export async function grow(parts: EngineParts, share: Share, found: readonly RemoteTopic[]): Promise<boolean> {
  const { plan, settings, log } = parts
  const app = settings.applicationId
  const { inputs } = share
  const { membership } = share.member
  const wanted = wantedTasks(plan, share, found)
  if (wanted.size === 0) return adoptIfMore(parts, share, found)
  const counts = new Map(found.map(({ name, partitions }) => [name, partitions]))
  const fresh = [...wanted.keys()].flatMap((id) => {
    const sub = plan.subs[id] as SubTopology
    const from = inputs.topics.partitions[id] as number
    const topics = sub.inputs.flatMap(({ op }) => (op.kind === 'source' ? inputs.topicsOf(op) : []))
    return topics.flatMap((topic) =>
      Array.from({ length: Math.max(0, (counts.get(topic) ?? 0) - from) }, (_, i) => ({ topic, partition: from + i })),
    )
  })
  const [committed, starts] = await Promise.all([log.groupOffsets(app, fresh), log.offsets(fresh, 'earliest')])
  const positions = fresh.flatMap((one, i): PositionedPartition[] =>
    committed[i] === undefined ? [{ ...one, offset: starts[i] as number }] : [],
  )
  if (positions.length > 0) await log.commitOffsets(positions, membership)
  for (const [id, count] of wanted) await log.growTopic(tasksTopic(app, plan.subs[id] as SubTopology), count)
  return adoptGrowth(parts, share)
}

async function adoptIfMore(parts: EngineParts, share: Share, found: readonly RemoteTopic[]): Promise<boolean> {
  const all = new Map(found.map((topic) => [topic.name, topic]))
  const more = grownBy(parts.settings.applicationId, parts.plan, share.inputs.topics, all)
  return more === undefined ? false : adoptGrowth(parts, share)
}
