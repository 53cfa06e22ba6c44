/**
 * Pattern -> state graph, built from the last step to the first, so that each step knows the state it leads to (its
 * sink). Semantics are Flink CEP's (the rules: flink-cep's documentation and the construction its NFACompiler follows).
 *
 *     begin(a).followedBy(b).oneOrMore()          [ ] = final
 *
 *     a --take a--> b1 --take b--> b* --proceed--> [ ]
 *                   b1 --ignore not b--> b1      b* --take b--> b*
 *                                                b* --ignore not b--> w   w --take b--> b*   w --ignore not b--> w
 *
 * An optional step has a proceed to what follows it. Once it ignored an event it waits in a state of its own (w) that
 * has no proceed: the run that went on without it is another one already. A greedy step takes its own condition out of
 * what follows. `notNext` is a state before its sink that proceeds to a stop state; `notFollowedBy` puts a proceed to a
 * stop state on every state where the forbidden event would end the run, or, as the last step, is a pending state.
 */
import type { ChoiceSpec, Contiguity, PatternSpec, SequenceSpec, StepSpec } from '../../dsl/pattern/index.ts'
import { namesOf } from '../../dsl/pattern/index.ts'
import { Conditions } from './conditions.ts'
import { and, type Expr, FALSE, not } from './expr.ts'
import { Forbidden } from './forbidden.ts'
import { fork } from './fork.ts'
import { copy, State } from './graph.ts'
import { choiceDecides, entryOf, type Group, headExits, here, type Place, windowOf } from './place.ts'

export interface Graph {
  readonly start: State
  readonly names: readonly string[]
}

export function compileGraph(spec: PatternSpec): Graph {
  const names = namesOf(spec)
  return { names, start: new GraphCompiler(names).sequence(asSequence(spec), null, null, new State('final', -1)) }
}

const bare = {
  name: null,
  condition: null,
  optional: false,
  quantifier: null,
  within: null,
  withinPrevious: null,
} as const
const asSequence = (spec: PatternSpec): SequenceSpec =>
  spec.kind === 'sequence'
    ? spec
    : { kind: 'sequence', steps: [{ ...bare, contiguity: 'begin', body: spec, calls: spec.kind }] }

class GraphCompiler {
  private readonly numbers: ReadonlyMap<string, number>
  private readonly conditions = new Conditions()
  private readonly forbidden = new Forbidden(this.conditions)
  /** What a greedy step with `until` proceeds to once `until` holds: its sink before it was narrowed. */
  private readonly originals = new Map<State, State>()

  constructor(names: readonly string[]) {
    this.numbers = new Map(names.map((name, i) => [name, i]))
  }

  /** The steps of one level, last to first; gives the state that the first one begins in. */
  sequence(spec: SequenceSpec, group: Group | null, after: StepSpec | null, end: State): State {
    const { steps } = spec
    let sink = end
    for (let at = steps.length - 1; at >= 0; at--) {
      const step = steps[at] as StepSpec
      const place: Place = { steps, at, group, following: steps[at + 1] ?? after }
      if (step.contiguity === 'notFollowedBy') sink = this.absence(place, sink)
      else if (step.contiguity === 'notNext') sink = this.notNext(place, sink)
      else sink = this.positive(place, sink)
    }
    return sink
  }

  /** As the last step: waits for its window to end. Elsewhere it is part of the states before and after it. */
  private absence(place: Place, sink: State): State {
    const step = here(place)
    if (sink.kind !== 'final') return sink
    const pending = new State('pending', -1)
    pending.window = step.withinPrevious ?? 0
    const forbidden = this.conditions.takes(place)
    pending.add('proceed', this.forbidden.stopState(step), forbidden)
    pending.add('ignore', pending, not(forbidden))
    return pending
  }

  private notNext(place: Place, sink: State): State {
    const state = new State('normal', -1)
    const forbidden = this.conditions.takes(place)
    // At the end the next event must be seen before the match is complete.
    state.add(sink.kind === 'final' ? 'ignore' : 'proceed', sink, not(forbidden))
    state.add('proceed', this.forbidden.stopState(here(place)), forbidden)
    return state
  }

  private positive(place: Place, sink: State): State {
    const { quantifier } = here(place)
    let head: State
    if (quantifier === null) head = this.single(place, sink)
    else if (quantifier.max !== null) head = this.times(place, sink, sink, quantifier.max)
    else {
      // Once the loop has begun, what was forbidden before the optional steps in front of it no longer is.
      const freed = this.forbidden.withoutPassedNots(place, sink)
      const loop = this.loop(place, freed)
      if (quantifier.greedy && freed !== sink) this.narrow(place, sink, this.conditions.takes(place))
      head = this.times(place, loop, sink, quantifier.min)
    }
    this.forbidden.addStops(place, head)
    return head
  }

  /** Repetitions `max` down to 1; beyond the minimum each may also go on to `exit`. */
  private times(place: Place, sink: State, exit: State, max: number): State {
    const step = here(place)
    const { min, greedy } = step.quantifier as NonNullable<StepSpec['quantifier']>
    const take = this.conditions.unlessUntil(place, this.conditions.takes(place))
    if (greedy && min !== max) this.narrow(place, sink, take)
    let next = sink
    for (let n = max; n > 1; n--) {
      next = this.repetition(place, next, exit, take, n > min)
      this.forbidden.addStopAfterLoop(place, next)
    }
    return this.single(place, next, exit, take)
  }

  /** Greed: what follows must not use an event that the greedy step can take. */
  private narrow(place: Place, sink: State, taken: Expr): void {
    if (this.conditions.until(place) !== null) this.originals.set(sink, copy(sink))
    for (const transition of sink.transitions) transition.condition = and(transition.condition, not(taken))
  }

  private repetition(place: Place, sink: State, exit: State, take: Expr, mayExit: boolean): State {
    const ignore = this.conditions.unlessUntil(place, this.conditions.ignores(place, 'inner'))
    return this.state(place, sink, exit, take, ignore, mayExit, false)
  }

  /** The first or only repetition. */
  private single(place: Place, sink: State, exit = sink, take = this.conditions.takes(place)): State {
    return this.state(place, sink, exit, take, this.conditions.ignores(place, 'entry'), here(place).optional, true)
  }

  private state(
    place: Place,
    sink: State,
    exit: State,
    take: Expr,
    ignore: Expr,
    mayExit: boolean,
    first: boolean,
  ): State {
    const step = here(place)
    if (step.body !== null) {
      const head = this.group(place, sink, first, mayExit)
      if (mayExit) head.add('proceed', exit, this.conditions.groupGoesOn(place.group))
      return head
    }
    const state = this.taking(place)
    const after = this.forbidden.withoutPassedNots(place, sink)
    state.add('take', after, this.conditions.inTime(place, take))
    if (mayExit) this.addExit(place, state, exit)
    if (ignore !== FALSE) {
      const apart = mayExit || headExits(place)
      const waiting = apart ? this.taking(place) : state
      if (apart) {
        waiting.silent = true
        waiting.add('take', after, this.conditions.inTime(place, take))
        waiting.add('ignore', waiting, ignore)
        if (first) this.forbidden.addStops(place, waiting)
        else this.forbidden.addStopAfterLoop(place, waiting)
      }
      state.add('ignore', waiting, ignore)
    }
    return state
  }

  private addExit(place: Place, state: State, exit: State): void {
    const { quantifier } = here(place)
    const until = quantifier?.greedy === true ? this.conditions.until(place) : null
    const goesOn = this.conditions.groupGoesOn(place.group)
    if (until !== null) state.add('proceed', this.originals.get(exit) ?? exit, and(goesOn, until))
    state.add('proceed', exit, until === null ? goesOn : and(goesOn, not(until)))
  }

  /** The open end of oneOrMore and timesOrMore. */
  private loop(place: Place, sink: State): State {
    const step = here(place)
    if (step.body !== null) return this.groupLoop(place, sink)
    const take = this.conditions.unlessUntil(place, this.conditions.takes(place))
    const ignore = this.conditions.unlessUntil(place, this.conditions.ignores(place, 'inner'))
    const looping = this.taking(place)
    if (step.quantifier?.greedy === true) this.narrow(place, sink, this.conditions.takes(place))
    this.addExit(place, looping, sink)
    looping.add('take', looping, this.conditions.inTime(place, take))
    this.forbidden.addStopAfterLoop(place, looping)
    if (ignore !== FALSE) {
      const waiting = this.taking(place)
      waiting.silent = true
      waiting.add('take', looping, this.conditions.inTime(place, take))
      waiting.add('ignore', waiting, ignore)
      looping.add('ignore', waiting, ignore)
      this.forbidden.addStopAfterLoop(place, waiting)
    }
    return looping
  }

  private group(place: Place, sink: State, first: boolean, exits: boolean): State {
    const step = here(place)
    const outer = place.at === 0 ? place.group : null
    const body = step.body as PatternSpec
    const group: Group = { step, first, exits, outer, choice: body.kind !== 'sequence' }
    if (body.kind === 'sequence') return this.sequence(body, group, place.following, sink)
    return this.choice(body, group, place, sink)
  }

  private groupLoop(place: Place, sink: State): State {
    const goesOn = this.conditions.groupGoesOn(place.group)
    const again = new State('normal', -1)
    const head = this.group(place, again, false, true)
    head.add('proceed', sink, goesOn)
    again.add('proceed', head, goesOn)
    return head
  }

  /** One state that can take the first event of every alternative; which events it ignores, it decides itself. */
  private choice(spec: ChoiceSpec, group: Group, place: Place, sink: State): State {
    const known = new Map<string, State>()
    const ways = (open: readonly PatternSpec[], entry: Contiguity): State => {
      const key = open.map((part) => spec.parts.indexOf(part)).join()
      const done = known.get(key)
      if (done !== undefined) return done
      const heads = open.map((part) => {
        const rest = open.filter((other) => other !== part)
        const end = spec.kind === 'anyOf' || rest.length === 0 ? sink : ways(rest, 'followedBy')
        return this.sequence(asSequence(part), group, place.following, end)
      })
      const state = fork(heads, entry, this.conditions.groupGoesOn(group))
      known.set(key, state)
      return state
    }
    const decided = group.outer !== null && choiceDecides(group.outer)
    return ways(spec.parts, decided ? 'next' : entryOf(group))
  }

  /** A state that takes events of the step, with the window that they have. */
  private taking(place: Place): State {
    const state = new State('normal', this.numbers.get(here(place).name as string) as number)
    state.window = windowOf(place)
    return state
  }
}
