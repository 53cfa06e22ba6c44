import type { Timestamp } from '../time/index.ts'
import { Vault } from '../vault.ts'

/** What stands behind the fluent surface: frozen data that the automaton is compiled from. */

export type Contiguity = 'begin' | 'next' | 'followedBy' | 'followedByAny' | 'notNext' | 'notFollowedBy'

/** What a condition sees of the run, by names that only run time knows. */
export interface RunContext {
  readonly timestamp: Timestamp
  eventsFor(name: string): readonly unknown[]
  count(name: string): number
  last(name: string): unknown
  sum(name: string, of: (event: never) => number): number
}
export type Condition = (event: never, ctx: RunContext) => boolean

/** How one repetition follows the other: skip to the next matching event, take none in between, or leave any out. */
export type InnerContiguity = 'relaxed' | 'strict' | 'any'

export interface QuantifierSpec {
  readonly min: number
  /** null: unbounded. */
  readonly max: number | null
  readonly inner: InnerContiguity
  readonly greedy: boolean
  readonly until: Condition | null
  /** Milliseconds, right-exclusive, between the event before and each event of the repetition. */
  readonly gap: number | null
}

export interface StepSpec {
  readonly contiguity: Contiguity
  /** null for a group. */
  readonly name: string | null
  readonly body: PatternSpec | null
  /** null: every event. */
  readonly condition: Condition | null
  readonly optional: boolean
  /** null: exactly once. */
  readonly quantifier: QuantifierSpec | null
  /** Milliseconds from the run's first event, right-exclusive. */
  readonly within: number | null
  /** Milliseconds from the event before to each event of this step, right-exclusive. */
  readonly withinPrevious: number | null
  /** The calls that made the step, as an error shows them. */
  readonly calls: string
}

export interface SequenceSpec {
  readonly kind: 'sequence'
  readonly steps: readonly StepSpec[]
}
export interface ChoiceSpec {
  readonly kind: 'anyOf' | 'allOf'
  readonly parts: readonly PatternSpec[]
}
export type PatternSpec = SequenceSpec | ChoiceSpec

/** What stands behind each `Pattern` of this package. */
export const patterns = new Vault<PatternSpec>("a pattern, for example pattern<Order>().begin('large')")

export const isNot = (contiguity: Contiguity): boolean => contiguity === 'notNext' || contiguity === 'notFollowedBy'

/** The names that can stand in a match, in the pattern's order; with `nots` also those that cannot. */
export function namesOf(spec: PatternSpec, nots = false): string[] {
  if (spec.kind !== 'sequence') return spec.parts.flatMap((part) => namesOf(part, nots))
  return spec.steps.flatMap((step) => {
    if (step.body !== null) return namesOf(step.body, nots)
    return step.name === null || (isNot(step.contiguity) && !nots) ? [] : [step.name]
  })
}

/** The window of the whole pattern: the smallest that any of its steps names, inner groups included; null without one. */
export function withinOf(spec: PatternSpec): number | null {
  const windows =
    spec.kind === 'sequence'
      ? spec.steps.flatMap((step) => [step.within, step.body === null ? null : withinOf(step.body)])
      : spec.parts.map(withinOf)
  const given = windows.filter((w) => w !== null)
  return given.length === 0 ? null : Math.min(...given)
}

/** What two patterns must have in common so that one can go on with the other's state: all but their conditions. */
export function shapeOf(spec: PatternSpec): unknown {
  if (spec.kind !== 'sequence') return [spec.kind, ...spec.parts.map(shapeOf)]
  return spec.steps.map((s) => [
    s.contiguity,
    s.name ?? shapeOf(s.body as PatternSpec),
    s.optional,
    s.quantifier && [s.quantifier.min, s.quantifier.max, s.quantifier.inner, s.quantifier.greedy, !!s.quantifier.until],
  ])
}
