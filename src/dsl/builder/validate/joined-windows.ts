import type { AggregateNode, PlanNode } from '../../plan/index.ts'
import { type Check, problem } from './problem.ts'

const tablesOf = (node: PlanNode): readonly PlanNode[] => {
  if (node.kind === 'tableJoin' || node.kind === 'foreignJoin') return node.inputs
  return node.kind === 'streamTableJoin' ? node.inputs.slice(1) : []
}

/** The windows whose rows a table shows, if nobody has asked for them to be kept. */
function windowsOf(node: PlanNode): AggregateNode | undefined {
  if (node.kind === 'aggregate') return node
  if ((node.kind !== 'filter' && node.kind !== 'mapValues') || node.store !== undefined) return undefined
  const [input] = node.inputs
  return input === undefined ? undefined : windowsOf(input)
}

/** Windows of which nobody can tell from a row's timestamp when it will be over. */
function endless({ windows, emit }: AggregateNode): string | undefined {
  if (windows?.kind === 'count') return 'count windows'
  if (windows?.kind !== 'session') return undefined
  if (typeof windows.gap === 'function') return 'sessions with a gap by the record'
  // the row under an old name stays while its session goes on
  return emit.mode === 'onTime' || emit.mode === 'every' ? `sessions with emit ${emit.mode}` : undefined
}

/** Rows of windows are kept for joins until their windows are over. */
export const endlessRows: Check = (plan) =>
  plan.nodes.flatMap((node) =>
    tablesOf(node).flatMap((table) => {
      const aggregate = windowsOf(table)
      const what = aggregate && endless(aggregate)
      if (what === undefined) return []
      const found = `found a table of ${what} ('${table.name}'), expected one whose rows' timestamps tell when they are over`
      const cure = `say how long they are kept: .mapValues((v) => v, {store: {name: '${table.name}-rows', retention: '1d'}})`
      return [problem('DHAARA_JOIN_WINDOWS', node, `${found}; ${cure}`)]
    }),
  )
