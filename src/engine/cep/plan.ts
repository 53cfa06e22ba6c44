import type { MatcherOptions, Pattern, PatternSpec, SkipSpec } from '../../dsl/pattern/index.ts'
import { namesOf, patterns, shapeOf, showSpec, skipSpec } from '../../dsl/pattern/index.ts'
import { DhaaraError, PatternError } from '../../errors/index.ts'
import { type Automaton, compile } from './automaton.ts'
import type { MatcherPlan } from './keyed-matcher.ts'
import type { RunLimits } from './complete-runs.ts'

const full = ['dropOldest', 'dropNewest', 'fail'] as const

/** Patterns with what a matcher of each key needs to run them. */
export interface CompiledMatcher extends MatcherPlan {
  /** Tags of several patterns; null if there is one alone. */
  readonly tags: readonly string[] | null
  /** What a stored state must agree with. */
  readonly shape: string
}

/**
 * Compiles one pattern, or several that share a buffer.
 * @throws PatternError if a pattern as a whole makes no sense, or the skip strategy names a step that it has not
 * @throws DhaaraError DHAARA_OPTION
 */
export function compileMatcher(
  given: Pattern<any, any> | Readonly<Record<string, Pattern<any, any>>>,
  opts: MatcherOptions<any, any> & { readonly timeouts?: boolean } = {},
): CompiledMatcher {
  // what is neither a pattern nor holds some is refused where it is opened
  const tagged = patterns.has(given) || typeof given !== 'object' || given === null ? null : Object.entries(given)
  if (tagged?.length === 0) throw new DhaaraError('DHAARA_OPTION', 'Found no pattern; expected at least one')
  return compileSpecs({
    specs: tagged === null ? [patterns.open(given)] : tagged.map(([, pattern]) => patterns.open(pattern)),
    tags: tagged === null ? null : tagged.map(([tag]) => tag),
    skip: skipSpec(opts.skip),
    limits: limitsOf(opts),
    timeouts: opts.timeouts === true,
  })
}

/** @throws PatternError as `compileMatcher` */
export function compileSpecs({ specs, tags, skip, limits, timeouts }: SpecPlan): CompiledMatcher {
  checkSkip(skip, specs)
  return {
    automata: specs.map((spec): Automaton => compile(spec)),
    skip,
    limits,
    timeouts,
    tags,
    shape: JSON.stringify([specs.map(shapeOf), tags ?? undefined]),
  }
}

interface SpecPlan extends Omit<MatcherPlan, 'automata'> {
  readonly specs: readonly PatternSpec[]
  readonly tags: readonly string[] | null
}

function limitsOf({ maxPartials, whenFull = 'fail' }: MatcherOptions<any, any>): RunLimits {
  if (maxPartials !== undefined && !(Number.isSafeInteger(maxPartials) && maxPartials >= 1)) {
    const expected = 'expected a whole number of at least 1'
    throw new DhaaraError('DHAARA_OPTION', `maxPartials: found ${String(maxPartials)}; ${expected}`)
  }
  if (!full.includes(whenFull)) {
    throw new DhaaraError('DHAARA_OPTION', `whenFull: found ${String(whenFull)}; expected one of ${full.join(', ')}`)
  }
  return { maxPartials: maxPartials ?? Number.POSITIVE_INFINITY, whenFull }
}

/** Several patterns share one strategy: one of them must have the step. */
function checkSkip({ kind, to }: SkipSpec, specs: readonly PatternSpec[]): void {
  if (to === null) return
  const names = specs.flatMap((spec) => namesOf(spec))
  if (names.includes(to)) return
  const shown = specs.map((spec) => showSpec(spec)).join('\n')
  const found = `AfterMatchSkip.${kind}: found ${JSON.stringify(to)}`
  throw new PatternError(`${found}; expected one of the steps ${names.join(', ')}\n${shown}`, shown, to)
}
