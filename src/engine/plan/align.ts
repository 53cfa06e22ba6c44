import { partitionOf } from '../../connectors/broker/partitioner.ts'
import type { SubTopology } from './physical.ts'

/**
 * Records of a repartition that are read beside a topic must go where the topic's producers send that key: by the bytes of
 * the topic's key serde. A partitioner of the user's stays.
 */
export function alignPartitioners(subs: readonly SubTopology[]): void {
  for (const { inputs } of subs) {
    const topics = inputs.flatMap(({ op }) => (op.kind === 'source' && !op.global ? [op] : []))
    if (topics.length === 0) continue
    const key = topics.find((op) => op.key !== undefined)?.key
    const bytes = (value: unknown) => (key === undefined ? (value as Uint8Array) : key.serialize(value, ''))
    for (const { op } of inputs) {
      if (op.kind !== 'repartitionRead' || op.repartition.local || op.repartition.broadcast) continue
      op.repartition.partitioner ??= (_value, at, partitions) =>
        // with one partition there is nothing to choose, and no key to be encoded for it
        partitions === 1 || at === null || at === undefined ? 0 : partitionOf(bytes(at), partitions)
    }
  }
}
