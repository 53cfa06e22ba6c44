import { partitionOf } from '../../connectors/broker/partitioner.ts'
import type { PhysicalPlan, Repartition, SubTopology } from '../plan/physical.ts'
import { keyPartition } from '../runtime/channels/partitioner.ts'

/** The partition of n that a key's records go to. */
export type Placement = (key: unknown, partitions: number) => number

/** How a repartition spreads its records. */
export function spread({ partitioner }: Repartition): (value: unknown, key: unknown, partitions: number) => number {
  return (value, key, partitions) =>
    partitioner === undefined ? keyPartition(key, partitions) : partitioner(value, key, partitions)
}

/**
 * How the keys of a sub-topology's records are spread: as producers spread its topics, or as the repartitions into it do
 * (which go the topics' way where there are both). What comes later (`local`) is where its step is.
 */
export function placementOf(plan: PhysicalPlan, sub: SubTopology, seen = new Set<number>()): Placement {
  seen.add(sub.id)
  for (const { op } of sub.inputs) {
    if (op.kind !== 'source' || op.global) continue
    const { key } = op
    return (value, partitions) =>
      partitionOf(key === undefined ? (value as Uint8Array) : key.serialize(value, ''), partitions)
  }
  for (const { op } of sub.inputs) {
    if (op.kind !== 'repartitionRead' || op.repartition.broadcast) continue
    const { repartition } = op
    if (!repartition.local) return (key, partitions) => spread(repartition)(undefined, key, partitions)
    const writer = plan.steps.find(
      (step) => step.op.kind === 'repartitionWrite' && step.op.repartition.id === repartition.id && !seen.has(step.sub),
    )
    if (writer !== undefined) return placementOf(plan, plan.subs[writer.sub] as SubTopology, seen)
  }
  return keyPartition
}
