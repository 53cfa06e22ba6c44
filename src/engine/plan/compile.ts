import type { LogicalPlan, PlanNode, StoreSpec } from '../../dsl/plan/index.ts'
import { ownStores } from '../../dsl/plan/own-stores.ts'
import { TopologyError, type TopologyProblem } from '../../errors/index.ts'
import { alignPartitioners } from './align.ts'
import { cut } from './cut.ts'
import { markOldValues } from './old-values.ts'
import type { PhysicalPlan } from './physical.ts'
import { Wiring } from './wire.ts'

/**
 * Logical plan -> physical plan, in passes: collect stores, wire steps and insert repartitions, mark old values, cut.
 * @throws TopologyError with every problem that only the whole shows.
 */
export function compile(logical: LogicalPlan): PhysicalPlan {
  const problems: TopologyProblem[] = []
  const stores = collectStores(logical, problems)
  if (problems.length > 0) throw new TopologyError(problems)
  const wiring = new Wiring(logical)
  for (const [id, step] of wiring.steps.entries()) step.id = id
  markOldValues(wiring.steps)
  const subs = cut(wiring.steps, stores)
  alignPartitioners(subs)
  return { logical, steps: wiring.steps, subs, repartitions: wiring.repartitions, stores }
}

function collectStores(logical: LogicalPlan, problems: TopologyProblem[]): Map<string, StoreSpec> {
  const stores = new Map<string, StoreSpec>(logical.stores.map((store) => [store.name, store]))
  for (const node of logical.nodes) {
    for (const store of ownStores(node)) stores.set(store.name, store)
  }
  for (const node of logical.nodes) {
    for (const name of usedStores(node)) {
      if (stores.has(name)) continue
      const known = [...stores.keys()].join(', ') || 'none'
      const message = `uses the store '${name}', which the topology does not have (it has: ${known}); add it with builder.addStateStore()`
      problems.push({ code: 'DHAARA_STORE_UNKNOWN', step: node.name, message })
    }
  }
  return stores
}

const usedStores = (node: PlanNode): readonly string[] => ('stores' in node ? node.stores : [])
