/**
 * Matches by definition: every way to give events to the steps, in order, is tried against the rules of Flink CEP's
 * documentation. Nothing here knows of states. Letters stand for events; a step names the letters that it matches.
 */
export type Inner = 'relaxed' | 'strict' | 'any'
export interface Step {
  readonly name: string
  readonly contiguity: 'begin' | 'next' | 'followedBy' | 'followedByAny' | 'notNext' | 'notFollowedBy'
  readonly letters: string
  readonly min: number
  /** Infinity: open. */
  readonly max: number
  readonly inner: Inner
  readonly optional: boolean
  readonly greedy: boolean
  readonly until: string
  /** Milliseconds within which each repetition must follow the one before; Infinity: any time. */
  readonly gap: number
  /** The same, between the event before the step and its first. */
  readonly sincePrevious: number
}
export interface Event {
  readonly at: number
  readonly letter: string
  readonly ts: number
}
export interface Found {
  /** Events of each step, by index; empty for none. */
  readonly taken: readonly (readonly number[])[]
  readonly first: number
  /** Event with which the match is complete; Infinity: the end of its window. */
  readonly completeAt: number
}

const isNot = (step: Step): boolean => step.contiguity.startsWith('not')

export function matchesByDefinition(steps: readonly Step[], events: readonly Event[], within: number): Found[] {
  const found: Found[] = []
  const give = (step: number, from: number, taken: readonly (readonly number[])[]): void => {
    if (step === steps.length) {
      const match = judge(steps, events, within, taken)
      if (match !== null) found.push(match)
      return
    }
    const { min, max, letters, optional } = steps[step] as Step
    if (isNot(steps[step] as Step) || optional) give(step + 1, from, [...taken, []])
    if (isNot(steps[step] as Step)) return
    const choose = (next: number, chosen: readonly number[]): void => {
      if (chosen.length >= min) give(step + 1, next, [...taken, chosen])
      if (chosen.length === max) return
      for (let at = next; at < events.length; at++) {
        if (letters.includes((events[at] as Event).letter)) choose(at + 1, [...chosen, at])
      }
    }
    for (let at = from; at < events.length; at++) {
      if (letters.includes((events[at] as Event).letter)) choose(at + 1, [at])
    }
  }
  give(0, 0, [])
  return found
}

function judge(
  steps: readonly Step[],
  events: readonly Event[],
  within: number,
  taken: readonly (readonly number[])[],
): Found | null {
  const all = taken.flat()
  const first = all[0]
  const last = all.at(-1)
  if (first === undefined || last === undefined) return null
  const letter = (at: number): string => (events[at] as Event).letter
  const between = (from: number, to: number): number[] => events.map((e) => e.at).filter((at) => at > from && at < to)
  const any = (letters: string, where: readonly number[]): boolean => where.some((at) => letters.includes(letter(at)))
  const deadline = (events[first] as Event).ts + within
  if ((events[last] as Event).ts >= deadline) return null

  let before: number | null = null
  for (const [s, step] of steps.entries()) {
    const own = taken[s] as readonly number[]
    for (const [rep, at] of own.entries()) {
      if (step.until.includes(letter(at))) return null
      if (rep > 0 && any(step.until, between(before as number, at))) return null
      const how = rep === 0 ? step.contiguity : { relaxed: 'followedBy', strict: 'next', any: '' }[step.inner]
      const pause = before === null ? 0 : (events[at] as Event).ts - (events[before] as Event).ts
      if (pause >= step.gap || pause >= step.sincePrevious) return null
      if (before !== null && how === 'next' && at !== before + 1) return null
      if (before !== null && how === 'followedBy' && any(step.letters, between(before, at))) return null
      before = at
    }
  }

  let completeAt = last
  for (const [s, step] of steps.entries()) {
    const earlier = taken.slice(0, s).flat()
    const previous = steps[s - 1]
    const repetitions = taken[s - 1] ?? []
    const next = taken.slice(s + 1).flat()[0]
    if (step.contiguity === 'notFollowedBy') {
      // Forbidden until the next event of the match, and inside of the repetition before.
      const from = repetitions[0] ?? (earlier.at(-1) as number)
      const open = between(from, events.length).filter((at) => (events[at] as Event).ts < deadline)
      const absent = s === steps.length - 1
      if (absent) completeAt = Number.POSITIVE_INFINITY
      if (absent ? any(step.letters, open) : next !== undefined && any(step.letters, between(from, next))) return null
      if (next === undefined && any(step.letters, between(from, earlier.at(-1) as number))) return null
    }
    if (step.contiguity === 'notNext') {
      // Seen by every repetition that might have been the last.
      const ends = repetitions.slice((previous as Step).min - 1)
      if (ends.some((at) => at + 1 < events.length && step.letters.includes(letter(at + 1)))) return null
      if (s === steps.length - 1) {
        const seen = events[last + 1]
        if (seen === undefined || seen.ts >= deadline) return null
        completeAt = last + 1
      }
    }
    if (step.greedy && next !== undefined) {
      const end = earlier.concat(taken[s] as readonly number[]).at(-1)
      const used = end === undefined ? [next] : [...between(end, next), next]
      if (any(step.letters, used)) return null
    }
  }
  return { taken, first, completeAt }
}
