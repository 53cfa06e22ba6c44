import type { AggregateNode, PlanNode } from '../../plan/index.ts'
import { type Check, problem } from './problem.ts'

/** The aggregate whose windows a table's keys have. */
function aggregateOf(node: PlanNode): AggregateNode | undefined {
  if (node.kind === 'aggregate') return node
  const [input] = node.inputs
  return input === undefined ? undefined : aggregateOf(input)
}

/** `untilWindowCloses` waits for windows that time closes. */
export const unclosedWindows: Check = (plan) =>
  plan.nodes.flatMap((node) => {
    if (node.kind !== 'suppress' || node.policy.until !== 'close') return []
    const kind = aggregateOf(node)?.windows?.kind
    if (kind !== 'count' && kind !== 'unlimited') return []
    const cure =
      kind === 'count' ? "emit('close') gives full windows alone, or use untilTimeLimit" : 'use untilTimeLimit'
    return [
      problem('DHAARA_SUPPRESS_WINDOWS', node, `found ${kind} windows, expected windows that time closes; ${cure}`),
    ]
  })
