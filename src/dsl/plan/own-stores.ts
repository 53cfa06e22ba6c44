import type { LogicalPlan, PlanNode } from './nodes.ts'
import type { StoreSpec } from './specs.ts'

/** The stores that a step makes. */
export function ownStores(node: PlanNode): readonly StoreSpec[] {
  const store = 'store' in node ? node.store : undefined
  const own = store === undefined ? [] : [store]
  return node.kind === 'suppress' ? [node.buffer, ...own] : own
}

/** Those of the builder first, then those of the steps in the order of the plan. */
export const allStores = (plan: LogicalPlan): readonly StoreSpec[] => [...plan.stores, ...plan.nodes.flatMap(ownStores)]
