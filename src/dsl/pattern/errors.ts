import { PatternError } from '../../errors/index.ts'
import type { PatternSpec, StepSpec } from './spec.ts'

/** Malformed: the calls contradict each other. Argument: a value is out of range. Unsupported: it has no meaning here. */
export type PatternFault = 'malformed' | 'argument' | 'unsupported'

const codes = {
  malformed: 'DHAARA_PATTERN',
  argument: 'DHAARA_PATTERN_ARGUMENT',
  unsupported: 'DHAARA_PATTERN_UNSUPPORTED',
} as const

/** The pattern as it was called, one step a line, with an arrow at step `at`. */
export function showSpec(spec: PatternSpec, at = -1): string {
  if (spec.kind !== 'sequence') return `  ${spec.kind}(${spec.parts.length} patterns)`
  return spec.steps.map((step, i) => `${i === at ? '>' : ' '} ${i === 0 ? '' : '.'}${step.calls}`).join('\n')
}

/**
 * The error of a pattern that cannot be: says what was found and expected, shows the pattern, points at step `at`.
 * @param problem one line, without a full stop
 */
export function patternError(
  fault: PatternFault,
  problem: string,
  steps: readonly StepSpec[],
  at: number,
): PatternError {
  const shown = showSpec({ kind: 'sequence', steps }, at)
  const step = steps[at]
  const name = step === undefined ? '' : (step.name ?? `group ${at + 1}`)
  return new PatternError(`${problem}\n${shown}`, shown, name, codes[fault])
}
