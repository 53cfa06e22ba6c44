import { type AggregateNode, type PlanNode, windowsBehind } from '../../plan/index.ts'
import { type Check, problem } from './problem.ts'

const rowForRow: ReadonlySet<string> = new Set(['filter', 'mapValues', 'transformValues', 'suppress'])

/** Does a row come here as its aggregate has just sent it? */
function isDirect(node: PlanNode, from: AggregateNode): boolean {
  const [input] = node.inputs
  return node === from || (rowForRow.has(node.kind) && input !== undefined && isDirect(input, from))
}

function found(node: PlanNode, aggregate: AggregateNode): string | undefined {
  const { windows } = aggregate
  if (windows?.kind === 'count')
    return 'found count windows, expected windows that time closes; filter full windows, or use untilTimeLimit'
  if (windows?.kind === 'unlimited')
    return 'found unlimited windows, expected windows that time closes; use untilTimeLimit'
  const byRecord = windows?.kind === 'session' && typeof windows.gap === 'function'
  if (!byRecord || node.inputs.every((input) => isDirect(input, aggregate))) return undefined
  return `found sessions with a gap by the record ('${aggregate.name}') behind other steps, where nobody can tell when they close; suppress right behind them, or give them a fixed gap`
}

/** `untilWindowCloses` waits for windows that time closes. */
export const unclosedWindows: Check = (plan) =>
  plan.nodes.flatMap((node) => {
    if (node.kind !== 'suppress' || node.policy.until !== 'close') return []
    const aggregates = [...windowsBehind(node)]
    if (aggregates.length === 0) {
      const none = 'found a table behind which there are no windows, expected one behind windowedBy; use untilTimeLimit'
      return [problem('DHAARA_SUPPRESS_WINDOWS', node, none)]
    }
    return aggregates.flatMap((aggregate) => {
      const what = found(node, aggregate)
      return what === undefined ? [] : [problem('DHAARA_SUPPRESS_WINDOWS', node, what)]
    })
  })
