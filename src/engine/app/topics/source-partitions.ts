import type { EmbeddedLease } from '../../../connectors/broker/broker.ts'
import { partitionCounts } from '../../plan/partitions.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { topicsOf } from '../../runtime/inputs/topics.ts'

/**
 * How many partitions each sub-topology has; topics of sources that are not there are made.
 * @param existing topics that sources by pattern may read
 * @throws TopologyError DHAARA_COPARTITION
 */
export function sourcePartitions(plan: PhysicalPlan, lease: EmbeddedLease, existing?: readonly string[]): number[] {
  const names = () => existing ?? lease.log.topics().map(({ name }) => name)
  for (const node of plan.logical.nodes)
    if (node.kind === 'source') for (const topic of topicsOf(node, names())) lease.ensureTopic(topic)
  return partitionCounts(plan, (topic) => lease.ensureTopic(topic).partitions, names())
}
