import { isFast } from '../../../dsl/serdes/index.ts'
import type { PhysicalPlan, Step, SubTopology } from '../../plan/physical.ts'
import type { StoreLayout } from '../../query/index.ts'
import { placementOf } from '../../rescale/placement.ts'

/** Where a key's row is to be looked for. */
export interface KeyPlace {
  readonly partition: number
  /** It is there or nowhere: dhaara itself has put the key's records there. Else it is where Kafka's own producers would send it. */
  readonly certain: boolean
}

/** @returns undefined: it may be anywhere */
export type PlaceOfKey = (key: Uint8Array, partitions: number) => KeyPlace | undefined

/** Steps whose records have the key that they were spread by, if those that come into them have. */
const keepKeys: ReadonlySet<Step['op']['kind']> = new Set([
  'filter',
  'mapValues',
  'flatMapValues',
  'peek',
  'merge',
  'split',
  'branch',
  'toStream',
  'toTable',
  'tableAggregate',
  'tableJoin',
  'streamTableJoin',
])

/**
 * How to find the partition of a key without asking for it everywhere. Of records that were repartitioned by their key that is
 * known; of those that a topic brought, it is only likely: other clients have other partitioners. A partitioner of the user's
 * may want the value, which nobody has who asks.
 */
export function keyPlaces(plan: PhysicalPlan, layout: StoreLayout): PlaceOfKey {
  const sub = plan.subs[layout.sub]
  const owner = plan.steps.find(({ op }) => 'store' in op && op.store?.name === layout.name)
  if (sub === undefined || hasOwnPartitioner(sub)) return () => undefined
  const place = placementOf(plan, sub)
  const known = owner !== undefined && layout.keys.serde === undefined && spreadByKey(owner)
  return (bytes, partitions) => {
    try {
      const key = layout.keys.decode(bytes)
      return { partition: place(key, partitions), certain: known && !isDoubtful(key) }
    } catch {
      // no key of the topic's
      return undefined
    }
  }
}

/** One that is no place that `placementOf` knows of by the key alone. */
function hasOwnPartitioner({ inputs }: SubTopology): boolean {
  if (inputs.some(({ op }) => op.kind === 'source' && !op.global)) return false
  return inputs.some(({ op }) => op.kind === 'repartitionRead' && op.repartition.partitioner !== undefined)
}

/** Was all that comes to this step spread by the very key that it has now? */
function spreadByKey(step: Step): boolean {
  const { op } = step
  if (op.kind === 'repartitionRead') {
    const { local, broadcast, partitioner, key } = op.repartition
    if (local === true || broadcast === true || partitioner !== undefined) return false
    return key === undefined || (isFast(key) && key.typedKey)
  }
  const keeps = keepKeys.has(op.kind) || (op.kind === 'aggregate' && op.windows === undefined)
  return keeps && step.inputs.length > 0 && step.inputs.every(spreadByKey)
}

/** What stands for a text that UTF-8 does not have was another one when it was sent. */
const isDoubtful = (key: unknown): boolean =>
  typeof key === 'string' ? key.includes('\ufffd') : Array.isArray(key) && key.some(isDoubtful)
