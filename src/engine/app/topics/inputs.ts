import type { EmbeddedLease } from '../../../connectors/broker/broker.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { topicsOf } from '../../runtime/inputs/topics.ts'

/** Topics that sources read, and their partitions; those that are missing are made. */
export function inputTopics(plan: PhysicalPlan, lease: EmbeddedLease): Map<string, number> {
  const names = lease.log.topics().map(({ name }) => name)
  const read = plan.logical.nodes.flatMap((node) =>
    node.kind === 'source' && node.own === undefined ? topicsOf(node, names) : [],
  )
  return new Map(read.map((topic) => [topic, lease.ensureTopic(topic).partitions]))
}
