import { describe, toMermaid } from './describe.ts'
import { patternError } from './errors.ts'
import type { ChoiceSpec, PatternSpec } from './spec.ts'
import { namesOf, patterns } from './spec.ts'

/** `anyOf` and `allOf`: patterns over patterns, without a chain of their own. */
export class Choice {
  private readonly spec: ChoiceSpec

  constructor(kind: ChoiceSpec['kind'], parts: readonly unknown[]) {
    const specs = parts.map((part) => patterns.open(part))
    check(kind, specs)
    this.spec = Object.freeze({ kind, parts: Object.freeze(specs) })
    patterns.put(this, this.spec)
  }

  describe(): string {
    return describe(this.spec)
  }
  toMermaid(): string {
    return toMermaid(this.spec)
  }
}

/** More than this many parts of an `allOf` would make an automaton of more than 2^8 copies. */
const mostParts = 8

function check(kind: ChoiceSpec['kind'], parts: readonly PatternSpec[]): void {
  const shown = { calls: `${kind}(${parts.length} patterns)` }
  const fail = (fault: 'argument' | 'malformed', problem: string): never => {
    const step = { contiguity: 'begin', name: kind, body: null, condition: null, optional: false } as const
    throw patternError(fault, problem, [{ ...step, quantifier: null, within: null, withinPrevious: null, ...shown }], 0)
  }
  if (parts.length === 0) fail('argument', `${kind}: found no pattern; expected at least one`)
  if (kind === 'allOf' && parts.length > mostParts) {
    fail('argument', `allOf: found ${parts.length} patterns; expected at most ${mostParts}`)
  }
  const seen = new Set<string>()
  for (const name of parts.flatMap((part) => namesOf(part, true))) {
    if (seen.has(name))
      fail('malformed', `the name ${JSON.stringify(name)} is taken; the names of a pattern are unique`)
    seen.add(name)
  }
}
