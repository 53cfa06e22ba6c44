import type { PatternSpec, StepSpec } from '../../dsl/pattern/index.ts'
import { patternError, withinOf } from '../../dsl/pattern/index.ts'

/**
 * What only the whole pattern shows.
 * @throws PatternError
 */
export function validate(spec: PatternSpec): void {
  const within = withinOf(spec)
  check(spec, within, true)
}

/** @param last the pattern ends where this part ends */
function check(spec: PatternSpec, within: number | null, last: boolean): void {
  if (spec.kind !== 'sequence') {
    for (const part of spec.parts) check(part, within, last && spec.kind === 'anyOf')
    return
  }
  const { steps } = spec
  steps.forEach((step, at) => {
    const end = at === steps.length - 1
    checkWindows(step, within, steps, at)
    if (step.contiguity === 'notFollowedBy' && end) checkAbsence(step, within, last, steps, at)
    if (step.body !== null) check(step.body, within, last && end && step.quantifier === null)
  })
}

function checkAbsence(
  step: StepSpec,
  within: number | null,
  last: boolean,
  steps: readonly StepSpec[],
  at: number,
): void {
  if (!last) {
    const problem = 'notFollowedBy ends a group that something follows; put it before a step, or after the group'
    throw patternError('unsupported', problem, steps, at)
  }
  if (within === null && step.withinPrevious === null) {
    const problem = 'notFollowedBy is the last step and has no window; add within(…), or a step after it'
    throw patternError('malformed', problem, steps, at)
  }
}

function checkWindows(step: StepSpec, within: number | null, steps: readonly StepSpec[], at: number): void {
  const gap = step.quantifier?.gap ?? null
  const longest = Math.max(step.withinPrevious ?? 0, gap ?? 0)
  if (within === null || longest <= within) return
  const problem = `found ${longest} ms from the event before, but only ${within} ms for the whole pattern; make it shorter`
  throw patternError('malformed', problem, steps, at)
}
