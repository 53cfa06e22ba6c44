import type { Contiguity, StepSpec } from '../../dsl/pattern/index.ts'

/** The group that steps stand in, and how its first step is entered. */
export interface Group {
  readonly step: StepSpec
  /** Entered from outside, not from an earlier repetition. */
  readonly first: boolean
  /** A run that stands before it may also go on to what follows it. */
  readonly exits: boolean
  /** Set if the group is itself the first step of a group. */
  readonly outer: Group | null
  /** Of an anyOf or allOf: the choice itself decides which events are ignored before its first. */
  readonly choice: boolean
}

/** Where the compiler stands: step `at` of a sequence. */
export interface Place {
  readonly steps: readonly StepSpec[]
  readonly at: number
  readonly group: Group | null
  /** The step after this one, also beyond the end of a group. */
  readonly following: StepSpec | null
}

/** Contiguity between repetitions. */
export const inner = { relaxed: 'followedBy', strict: 'next', any: 'followedByAny' } as const

/** The step that a place is at. */
export const here = ({ steps, at }: Place): StepSpec => steps[at] as StepSpec

/** Milliseconds that an event of this step may lie after the event before it; 0: any time. */
export function windowOf({ steps, at, group }: Place): number {
  const step = steps[at] as StepSpec
  const windows = [step.withinPrevious, step.quantifier?.gap]
  // The windows of a group are those of its first event.
  for (let g = at === 0 ? group : null; g !== null; g = g.outer) {
    windows.push(g.step.withinPrevious, g.step.quantifier?.gap)
  }
  return windows.reduce<number>((least, w) => (w && (least === 0 || w < least) ? w : least), 0)
}

/** How the first step of a group follows what is before it. */
export function entryOf(group: Group): Contiguity {
  if (!group.first) return inner[group.step.quantifier?.inner ?? 'relaxed']
  return group.step.contiguity === 'begin' && group.outer !== null ? entryOf(group.outer) : group.step.contiguity
}

/** The first step of a group that may be left waits apart, as an optional step does. */
export function headExits({ at, group }: Place): boolean {
  for (let g = at === 0 ? group : null; g !== null; g = g.outer) if (g.exits) return true
  return false
}

/** The group begins an alternative of a choice, which knows what may be ignored before it. */
export function choiceDecides(group: Group): boolean {
  if (group.choice) return true
  return group.first && group.step.contiguity === 'begin' && group.outer !== null && choiceDecides(group.outer)
}
