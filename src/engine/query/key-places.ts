import { isFast } from '../../dsl/serdes/index.ts'
import type { KeyCodec } from '../../state/stores/index.ts'
import type { PhysicalPlan, Step, SubTopology } from '../plan/physical.ts'
import { placementOf } from '../rescale/placement.ts'

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
export function keyPlaces(plan: PhysicalPlan, sub: SubTopology, owner: Step | undefined, keys: KeyCodec): PlaceOfKey {
  if (hasOwnPartitioner(sub)) return () => undefined
  const place = placementOf(plan, sub)
  const known = keys.serde === undefined && owner !== undefined && keptByKey(owner)
  return (bytes, partitions) => {
    try {
      const key = keys.decode(bytes)
      return { partition: place(key, partitions), certain: known && !isDoubtful(key) }
    } catch {
      // no key of the topic's
      return undefined
    }
  }
}

/** In which of some partitions the row of a key is to be looked for. */
export interface Look {
  /** Index of the one where it is likely to be. undefined: it may be in any, or `only` says that it is in none. */
  readonly at: number | undefined
  /** And in no other. */
  readonly only: boolean
}

const anywhere: Look = { at: undefined, only: false }
const nowhere: Look = { at: undefined, only: true }

/**
 * @param here the partitions that can be looked into
 * @param count of all partitions; undefined: nobody knows
 */
export function lookFor(
  placeOf: PlaceOfKey,
  key: Uint8Array,
  here: readonly number[],
  count: number | undefined,
): Look {
  if (here.length === 0) return nowhere
  const place = count === undefined || count === 1 ? undefined : placeOf(key, count)
  if (place === undefined) return anywhere
  // mostly all are here
  const at = here[place.partition] === place.partition ? place.partition : here.indexOf(place.partition)
  // of one partition there is no other
  if (at >= 0 && (place.certain || here.length > 1)) return { at, only: place.certain }
  return place.certain ? nowhere : anywhere
}

/** Of things that are one a partition, in the same order: where to look first. */
export function first<T>(all: readonly T[], { at, only }: Look): readonly T[] {
  if (at === undefined) return only ? [] : all
  return all.slice(at, at + 1)
}

/** Where else, if it was not there. */
export const elsewhere = <T>(all: readonly T[], { at, only }: Look): readonly T[] =>
  at === undefined || only ? [] : all.toSpliced(at, 1)

/** One that is no place that `placementOf` knows of by the key alone. */
function hasOwnPartitioner({ inputs }: SubTopology): boolean {
  if (inputs.some(({ op }) => op.kind === 'source' && !op.global)) return false
  return inputs.some(({ op }) => op.kind === 'repartitionRead' && op.repartition.partitioner !== undefined)
}

/** Windows of a key are kept by the key as it came. */
const keptByKey = (owner: Step): boolean =>
  owner.op.kind === 'aggregate' ? owner.inputs.length > 0 && owner.inputs.every(spreadByKey) : spreadByKey(owner)

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
