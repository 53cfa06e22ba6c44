import type { RemoteTopic } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { mayGrow } from './growth.ts'
import { Inputs } from '../inputs.ts'

/** What has come since an app was started. */
export interface News {
  /** Absent: nothing to read has come. */
  readonly inputs?: Inputs
  /** Topics of patterns that have more partitions than there are tasks: not read. */
  readonly left: readonly string[]
}

/** @throws DhaaraError DHAARA_TOPIC_PARTITIONS: a topic that is read has more partitions than there are tasks, which keep state */
export function newsOf(app: string, plan: PhysicalPlan, before: Inputs, found: readonly RemoteTopic[]): News {
  const all = new Map(found.map((topic) => [topic.name, topic]))
  const known = new Set(before.ofAll(before.tasks).map(keyOf))
  const left = new Set<string>()
  const everything = new Inputs(app, plan, { ...before.topics, all })
  for (const sub of plan.subs) {
    for (const { op } of sub.inputs) {
      if (op.kind !== 'source' || op.global) continue
      const count = before.topics.partitions[sub.id] as number
      for (const topic of everything.topicsOf(op)) {
        const partitions = all.get(topic)?.partitions ?? 0
        if (partitions <= count) continue
        if (!known.has(keyOf({ topic, partition: 0 }))) left.add(topic)
        else if (!mayGrow(sub)) throw grown(topic, partitions, count)
      }
    }
  }
  for (const topic of left) all.delete(topic)
  const inputs = new Inputs(app, plan, { ...before.topics, all })
  // one that is missing for a moment, while it is made anew or its leader moves, is told by whoever reads it
  const fresh = inputs.ofAll(inputs.tasks).some((one) => !known.has(keyOf(one)))
  return { ...(fresh ? { inputs } : {}), left: [...left] }
}

const grown = (topic: string, partitions: number, tasks: number): DhaaraError =>
  new DhaaraError(
    'DHAARA_TOPIC_PARTITIONS',
    `Topic '${topic}' has ${partitions} partitions now, and its ${tasks} tasks were made for ${tasks}: keys may lie in others than their state does. Take its state along to so many: dhaara savepoint create, dhaara reset, dhaara savepoint restore --positions grown (docs/savepoints.md says when that is exact); or reset the app`,
  )

const keyOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${partition}/${topic}`
