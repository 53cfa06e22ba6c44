import type { RemoteTopic } from '../../connectors/broker/remote.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { Inputs } from './inputs.ts'

/**
 * What has come to the topics that an app reads, since it was started.
 *
 * @returns its inputs with the new ones; undefined: nothing has come
 * @throws DhaaraError DHAARA_TOPIC_PARTITIONS: there are more partitions than tasks
 */
export function withNews(
  app: string,
  plan: PhysicalPlan,
  before: Inputs,
  found: readonly RemoteTopic[],
): Inputs | undefined {
  const all = new Map(found.map((topic) => [topic.name, topic]))
  const now = new Inputs(app, plan, { ...before.topics, all })
  const known = new Set(before.ofAll(before.tasks).map(keyOf))
  for (const sub of plan.subs) {
    for (const { op } of sub.inputs) {
      if (op.kind !== 'source' || op.global) continue
      const count = before.topics.partitions[sub.id] as number
      for (const topic of now.topicsOf(op)) {
        const partitions = all.get(topic)?.partitions ?? 0
        if (partitions <= count) continue
        throw new DhaaraError(
          'DHAARA_TOPIC_PARTITIONS',
          `Topic '${topic}' has ${partitions} partitions now, and its ${count} tasks were made for ${count}: keys may lie in others than their state does. Take a savepoint and start from it with another number of partitions, or reset the app`,
        )
      }
    }
  }
  // one that is missing for a moment, while it is made anew or its leader moves, is told by whoever reads it
  return now.ofAll(now.tasks).some((one) => !known.has(keyOf(one))) ? now : undefined
}

const keyOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${partition}/${topic}`
