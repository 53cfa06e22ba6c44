import type { SourceNode, StoreSpec } from '../../../dsl/plan/index.ts'
import { after, pastStore, statePrefix } from '../../../state/stores/index.ts'
import type { OperatorContext } from '../../operators/operator.ts'
import type { SubTopology } from '../../plan/physical.ts'
import type { Host, TaskId } from '../host.ts'

/**
 * A thread has one copy of each global table that its tasks join with. Of the tasks of a sub-topology that run there, the one of
 * the lowest partition keeps it: it reads all partitions of the topic, and rows and positions are one epoch with the rest of it.
 * The others read its rows. So the task of partition 0 always keeps a copy, and of an instance's tasks the lowest one.
 */
export function keepersOf(ids: readonly TaskId[]): Map<number, number> {
  const keepers = new Map<number, number>()
  for (const { sub, partition } of ids)
    keepers.set(sub, Math.min(partition, keepers.get(sub) ?? Number.POSITIVE_INFINITY))
  return keepers
}

/** Names of the steps of a sub-topology that are global tables. */
export const globalSteps = (sub: SubTopology): readonly string[] => globalSources(sub).map(({ name }) => name)

/** The stores that hold its global tables. */
export const globalStores = (sub: SubTopology): readonly StoreSpec[] =>
  globalSources(sub).flatMap(({ store }) => (store === undefined ? [] : [store]))

const globalSources = ({ inputs }: SubTopology): readonly SourceNode[] =>
  inputs.flatMap(({ op }) => (op.kind === 'source' && op.global ? [op] : []))

/** Names under which rows of a store lie. */
export function rowNames({ name, kind, ttl }: StoreSpec): string[] {
  const past = kind === 'versioned' ? [pastStore(name)] : []
  return [name, ...past, ...(ttl === undefined ? [] : [`${name}.leases`, `${name}.leases.timers`])]
}

/** What a task still has of a copy that another one keeps now goes with the next epoch. */
export function dropCopies(host: Host, sub: SubTopology, partition: number, clears: OperatorContext['clears']): void {
  for (const name of globalStores(sub).flatMap(rowNames)) {
    const gte = statePrefix(host.storeId(name, sub.id), partition)
    const lt = after(gte)
    if (host.reader.collect({ gte, lt, limit: 1 }).length > 0) clears.clearLater(gte, lt)
  }
}
