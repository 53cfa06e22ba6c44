import { keepsPast } from '../../dsl/plan/index.ts'
import type { Step, SubTopology } from './physical.ts'

/**
 * The step whose versioned store this table's rows are in, or are derived from row by row: what comes from it may be older
 * than its key's present row. undefined: it follows present rows only.
 */
export function versionedRoot(step: Step): Step | undefined {
  const { op, table } = step
  if (!table) return undefined
  if ('store' in op && op.store !== undefined)
    return op.store.kind === 'versioned' && keepsPast.has(op.kind) ? step : undefined
  const [input] = step.inputs
  return input !== undefined && (op.kind === 'filter' || op.kind === 'mapValues') ? versionedRoot(input) : undefined
}

/** Does a step follow the present rows of its table? What is only told of the past is not for it. */
export function followsPresent({ op }: Step): boolean {
  if (op.kind === 'filter' || op.kind === 'mapValues') return op.store !== undefined && op.store.kind !== 'versioned'
  return op.kind !== 'toStream'
}

/** Inputs of tables that a join with grace waits for: they count for its time, as streams do. */
export function waitedFor(sub: SubTopology): ReadonlySet<Step> {
  const found = new Set<Step>()
  const visit = (step: Step) => {
    if (step.inputs.length === 0) found.add(step)
    for (const input of step.inputs) visit(input)
  }
  for (const step of sub.steps)
    if (step.op.kind === 'streamTableJoin' && step.op.grace !== undefined) visit(step.inputs[1] as Step)
  return found
}
