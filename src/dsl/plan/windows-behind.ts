import type { AggregateNode, PlanNode } from './nodes.ts'

/** Steps whose records have the keys of their first input; what else they read only adds to them. */
const keyedByFirst: ReadonlySet<string> = new Set([
  'foreignJoin',
  'streamTableJoin',
  'streamGlobalJoin',
  'broadcast',
  'process',
])

/** The nearest aggregates over windows that windowed keys can come from, by whatever ways lead here. */
export function windowsBehind(node: PlanNode): ReadonlySet<AggregateNode> {
  const found = new Set<AggregateNode>()
  const seen = new Set<PlanNode>()
  const visit = (at: PlanNode) => {
    if (seen.has(at)) return
    seen.add(at)
    if (at.kind === 'aggregate' && at.windows !== undefined) found.add(at)
    else for (const input of keyedByFirst.has(at.kind) ? at.inputs.slice(0, 1) : at.inputs) visit(input)
  }
  visit(node)
  return found
}
