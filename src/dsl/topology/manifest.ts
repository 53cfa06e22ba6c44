import { createHash } from 'node:crypto'
import type { AnySerde, LogicalPlan, PlanNode, StoreSpec } from '../plan/index.ts'
import { allStores, ownStores } from '../plan/own-stores.ts'
import { repartitionsOf } from './cut.ts'

/** Serdes are known by what the state depends on. */
const serde = (s: AnySerde) => ({ ordered: s.ordered, ...(s.version === undefined ? {} : { version: s.version }) })
const isSerde = (value: unknown): value is AnySerde => typeof (value as AnySerde | null)?.deserialize === 'function'

/** What is said elsewhere in the manifest, differs between two builds of one plan, or is no part of the plan. */
const left = new Set(['id', 'site', 'named', 'store', 'buffer', 'inputs', 'adders', 'predicates'])

/** Plain data of any part of a plan: functions are left out, serdes and regular expressions are told. */
function plain(value: unknown): unknown {
  if (typeof value === 'function' || value === undefined) return undefined
  if (value instanceof RegExp) return { pattern: value.source, flags: value.flags }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plain).filter((part) => part !== undefined)
  if (isSerde(value)) return serde(value)
  const entries = Object.entries(value).map(([key, part]) => [key, left.has(key) ? undefined : plain(part)] as const)
  return Object.fromEntries(entries.filter(([, part]) => part !== undefined))
}

function nodeOf(node: PlanNode): unknown {
  const stores = ownStores(node).map((store) => store.name)
  return {
    ...(plain(node) as object),
    inputs: node.inputs.map((input) => input.name),
    ...(stores.length === 0 ? {} : { ownStores: stores }),
  }
}

const storeOf = ({ named: _, indexes, ...spec }: StoreSpec): unknown => ({
  ...(plain(spec) as object),
  ...(indexes === undefined ? {} : { indexes: Object.keys(indexes).toSorted() }),
})

/** What `Topology.toJSON` gives: all of a plan but its functions. */
export function manifestOf(plan: LogicalPlan) {
  return {
    version: 1,
    naming: plan.naming,
    nodes: plan.nodes.map(nodeOf),
    stores: allStores(plan).map(storeOf),
    repartitions: repartitionsOf(plan),
  }
}

/** SHA-256, hexadecimal, of data as JSON with sorted keys. */
export const hashOf = (data: unknown): string => createHash('sha256').update(canonical(data)).digest('hex')

function canonical(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
