import type { PhysicalPlan, Step, SubTopology } from '../plan/physical.ts'
import type { TaskMeta } from '../runtime/tasks/task-meta.ts'
import { FormerTimes } from '../time/former.ts'
import { placementOf } from './placement.ts'

/** Windowed aggregations between a step's output and the input of its sub-topology. */
export function windowsBehind({ op, inputs }: Step): number {
  const own = op.kind === 'aggregate' && op.windows !== undefined ? 1 : 0
  return own + (inputs[0] === undefined ? 0 : windowsBehind(inputs[0]))
}

const timed: ReadonlySet<string> = new Set(['aggregate', 'streamJoin', 'streamTableJoin', 'deduplicate', 'match'])

/** undefined: partitions have not changed since; or a step goes by keys that are no keys of the sub-topology's records. */
export function formerTimes(
  plan: PhysicalPlan,
  sub: SubTopology,
  { former = [] }: TaskMeta['clock'],
): FormerTimes | undefined {
  const inWindows = ({ op, inputs }: Step) => timed.has(op.kind) && inputs.some((input) => windowsBehind(input) > 0)
  if (former.length === 0 || sub.steps.some(inWindows)) return undefined
  const times = new FormerTimes(former, placementOf(plan, sub))
  return times.highest > Number.NEGATIVE_INFINITY ? times : undefined
}
