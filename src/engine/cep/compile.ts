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
import { type Atom, and, type Expr, FALSE, isAtom, newAtom, not, or, TRUE } from './expr.ts'
import { State } from './graph.ts'

/** The group that steps stand in, and how its first step is entered. */
interface Group {
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
interface Place {
  readonly steps: readonly StepSpec[]
  readonly at: number
  readonly group: Group | null
  /** The step after this one, also beyond the end of a group. */
  readonly following: StepSpec | null
}

/** What the guard of a window asks of the run's context, besides what users see. */
export interface TimedContext {
  /** Milliseconds since the run's last event; -Infinity before the first. */
  sincePrevious(): number
}

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

const inner = { relaxed: 'followedBy', strict: 'next', any: 'followedByAny' } as const

class GraphCompiler {
  private readonly numbers: ReadonlyMap<string, number>
  private readonly atoms = new Map<unknown, Atom>()
  private readonly stops = new Map<StepSpec, State>()
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
    const forbidden = this.takes(place)
    pending.add('proceed', this.stopState(step), forbidden)
    pending.add('ignore', pending, not(forbidden))
    return pending
  }

  private notNext(place: Place, sink: State): State {
    const state = new State('normal', -1)
    const forbidden = this.takes(place)
    // At the end the next event must be seen before the match is complete.
    state.add(sink.kind === 'final' ? 'ignore' : 'proceed', sink, not(forbidden))
    state.add('proceed', this.stopState(here(place)), forbidden)
    return state
  }

  private positive(place: Place, sink: State): State {
    const { quantifier } = here(place)
    let head: State
    if (quantifier === null) head = this.single(place, sink)
    else if (quantifier.max !== null) head = this.times(place, sink, sink, quantifier.max)
    else {
      // Once the loop has begun, what was forbidden before the optional steps in front of it no longer is.
      const freed = this.withoutPassedNots(place, sink)
      const loop = this.loop(place, freed)
      if (quantifier.greedy && freed !== sink) this.narrow(place, sink, this.takes(place))
      head = this.times(place, loop, sink, quantifier.min)
    }
    this.addStops(place, head)
    return head
  }

  /** Repetitions `max` down to 1; beyond the minimum each may also go on to `exit`. */
  private times(place: Place, sink: State, exit: State, max: number): State {
    const step = here(place)
    const { min, greedy } = step.quantifier as NonNullable<StepSpec['quantifier']>
    const take = this.unlessUntil(place, this.takes(place))
    if (greedy && min !== max) this.narrow(place, sink, take)
    let next = sink
    for (let n = max; n > 1; n--) {
      next = this.repetition(place, next, exit, take, n > min)
      this.addStopAfterLoop(place, next)
    }
    return this.single(place, next, exit, take)
  }

  /** Greed: what follows must not use an event that the greedy step can take. */
  private narrow(place: Place, sink: State, taken: Expr): void {
    if (this.until(place) !== null) this.originals.set(sink, copy(sink))
    for (const transition of sink.transitions) transition.condition = and(transition.condition, not(taken))
  }

  private repetition(place: Place, sink: State, exit: State, take: Expr, mayExit: boolean): State {
    const ignore = this.unlessUntil(place, this.ignores(place, 'inner'))
    return this.state(place, sink, exit, take, ignore, mayExit, false)
  }

  /** The first or only repetition. */
  private single(place: Place, sink: State, exit = sink, take = this.takes(place)): State {
    return this.state(place, sink, exit, take, this.ignores(place, 'entry'), here(place).optional, true)
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
      if (mayExit) head.add('proceed', exit, this.groupGoesOn(place.group))
      return head
    }
    const state = this.taking(place)
    const after = this.withoutPassedNots(place, sink)
    state.add('take', after, this.inTime(place, take))
    if (mayExit) this.addExit(place, state, exit)
    if (ignore !== FALSE) {
      const apart = mayExit || headExits(place)
      const waiting = apart ? this.taking(place) : state
      if (apart) {
        waiting.silent = true
        waiting.add('take', after, this.inTime(place, take))
        waiting.add('ignore', waiting, ignore)
        if (first) this.addStops(place, waiting)
        else this.addStopAfterLoop(place, waiting)
      }
      state.add('ignore', waiting, ignore)
    }
    return state
  }

  private addExit(place: Place, state: State, exit: State): void {
    const { quantifier } = here(place)
    const until = quantifier?.greedy === true ? this.until(place) : null
    const goesOn = this.groupGoesOn(place.group)
    if (until !== null) state.add('proceed', this.originals.get(exit) ?? exit, and(goesOn, until))
    state.add('proceed', exit, until === null ? goesOn : and(goesOn, not(until)))
  }

  /** The open end of oneOrMore and timesOrMore. */
  private loop(place: Place, sink: State): State {
    const step = here(place)
    if (step.body !== null) return this.groupLoop(place, sink)
    const take = this.unlessUntil(place, this.takes(place))
    const ignore = this.unlessUntil(place, this.ignores(place, 'inner'))
    const looping = this.taking(place)
    if (step.quantifier?.greedy === true) this.narrow(place, sink, this.takes(place))
    this.addExit(place, looping, sink)
    looping.add('take', looping, this.inTime(place, take))
    this.addStopAfterLoop(place, looping)
    if (ignore !== FALSE) {
      const waiting = this.taking(place)
      waiting.silent = true
      waiting.add('take', looping, this.inTime(place, take))
      waiting.add('ignore', waiting, ignore)
      looping.add('ignore', waiting, ignore)
      this.addStopAfterLoop(place, waiting)
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
    const goesOn = this.groupGoesOn(place.group)
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
      const state = fork(heads, entry, this.groupGoesOn(group))
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

  /** States that also wait for something else are not ended by a timer, so the take itself looks at the time. */
  private inTime(place: Place, take: Expr): Expr {
    const ms = windowOf(place)
    if (ms === 0) return take
    const guard = (_event: never, ctx: object): boolean => (ctx as TimedContext).sincePrevious() < ms
    return and(this.atom(`within ${ms}`, guard), take)
  }

  private addStops(place: Place, state: State): void {
    for (const step of this.passedNots(place))
      state.add('proceed', this.stopState(step), this.condition(step, place.group))
  }

  private addStopAfterLoop({ following, group }: Place, state: State): void {
    if (following?.contiguity !== 'notFollowedBy') return
    state.add('proceed', this.stopState(following), this.condition(following, group))
  }

  /** The `notFollowedBy` steps that still hold where `place` begins: those before it, up to the last step that cannot be left out. */
  private passedNots({ steps, at }: Place): StepSpec[] {
    const nots: StepSpec[] = []
    for (let i = at - 1; i >= 0; i--) {
      const step = steps[i] as StepSpec
      if (step.contiguity === 'notFollowedBy') nots.push(step)
      else if (!step.optional) break
    }
    return nots
  }

  /** A copy of `sink` that the taken event has freed of the `notFollowedBy` steps before an optional step. */
  private withoutPassedNots(place: Place, sink: State, copies = new Map<State, State>()): State {
    const nots = this.passedNots(place)
    if (nots.length === 0 || !here(place).optional) return sink
    const known = copies.get(sink)
    if (known !== undefined) return known
    const freed = emptyCopy(sink)
    copies.set(sink, freed)
    const passed = new Set(nots.map((step) => this.stops.get(step)))
    for (const { action, target, condition } of sink.transitions) {
      if (action === 'take') freed.add(action, target === sink ? freed : target, condition)
      else if (target.kind !== 'stop') freed.add(action, this.withoutPassedNots(place, target, copies), condition)
      else if (!passed.has(target)) freed.add(action, target, condition)
    }
    return freed
  }

  private stopState(step: StepSpec): State {
    const known = this.stops.get(step)
    if (known !== undefined) return known
    const stop = new State('stop', -1)
    this.stops.set(step, stop)
    return stop
  }

  private takes(place: Place): Expr {
    return this.condition(here(place), place.group)
  }

  private condition(step: StepSpec, group: Group | null): Expr {
    return and(this.groupGoesOn(group), step.condition === null ? TRUE : this.atom(step.condition, step.condition))
  }

  /** Events that a run may leave out while it waits for this step: entering it, or between two repetitions. */
  private ignores(place: Place, where: 'entry' | 'inner'): Expr {
    const step = here(place)
    const { group, at } = place
    let contiguity: Contiguity = where === 'inner' ? inner[step.quantifier?.inner ?? 'relaxed'] : step.contiguity
    if (at === 0 && group !== null && where === 'entry') {
      if (choiceDecides(group)) return FALSE
      contiguity = entryOf(group)
    }
    const own = step.condition === null ? TRUE : this.atom(step.condition, step.condition)
    const ignore = contiguity === 'followedByAny' ? TRUE : contiguity === 'followedBy' ? not(own) : FALSE
    return and(this.groupGoesOn(group), ignore)
  }

  private until(place: Place): Expr | null {
    const until = here(place).quantifier?.until ?? null
    return until === null ? null : this.atom(until, until)
  }

  private unlessUntil(place: Place, e: Expr): Expr {
    const until = this.until(place)
    return until === null ? e : and(not(until), e)
  }

  /** What every transition inside of a group with `until` needs. */
  private groupGoesOn(group: Group | null): Expr {
    const until = group?.step.quantifier?.until ?? null
    return until === null ? TRUE : not(this.atom(until, until))
  }

  private atom(key: unknown, fn: Atom['fn']): Expr {
    let atom = this.atoms.get(key)
    if (atom === undefined) {
      atom = newAtom(fn)
      this.atoms.set(key, atom)
    }
    return isAtom(atom)
  }
}

const here = ({ steps, at }: Place): StepSpec => steps[at] as StepSpec

/** Milliseconds that an event of this step may lie after the event before it; 0: any time. */
function windowOf({ steps, at, group }: Place): number {
  const step = steps[at] as StepSpec
  const windows = [step.withinPrevious, step.quantifier?.gap]
  // The windows of a group are those of its first event.
  for (let g = at === 0 ? group : null; g !== null; g = g.outer) {
    windows.push(g.step.withinPrevious, g.step.quantifier?.gap)
  }
  return windows.reduce<number>((least, w) => (w && (least === 0 || w < least) ? w : least), 0)
}

/** How the first step of a group follows what is before it. */
function entryOf(group: Group): Contiguity {
  if (!group.first) return inner[group.step.quantifier?.inner ?? 'relaxed']
  return group.step.contiguity === 'begin' && group.outer !== null ? entryOf(group.outer) : group.step.contiguity
}

/** The first step of a group that may be left waits apart, as an optional step does. */
function headExits({ at, group }: Place): boolean {
  for (let g = at === 0 ? group : null; g !== null; g = g.outer) if (g.exits) return true
  return false
}

/** The group begins an alternative of a choice, which knows what may be ignored before it. */
function choiceDecides(group: Group): boolean {
  if (group.choice) return true
  return group.first && group.step.contiguity === 'begin' && group.outer !== null && choiceDecides(group.outer)
}

/** Stands before all `heads`: takes the first event of any; with `followedBy` it ignores what none of them can take. */
function fork(heads: readonly State[], entry: Contiguity, goesOn: Expr): State {
  const state = new State('normal', -1)
  const waiting = new State('normal', -1)
  waiting.silent = true
  const taken: Expr[] = []
  const reach = (takes: State, condition: Expr): void => {
    state.add('proceed', takes, condition)
    waiting.add('proceed', takes, condition)
    taken.push(...takes.transitions.map((t) => and(condition, t.condition)))
  }
  for (const head of heads) {
    const takes = new State('normal', head.step)
    takes.entry = true
    takes.window = head.window
    takes.transitions.push(...head.transitions.filter((t) => t.action === 'take'))
    if (takes.transitions.length > 0) reach(takes, TRUE)
    for (const { action, target, condition } of head.transitions) {
      if (action === 'proceed' && target.entry) reach(target, condition)
      else if (action !== 'take') state.add(action, target, condition)
    }
  }
  const ignore = entry === 'followedByAny' ? TRUE : entry === 'followedBy' ? not(or(...taken)) : FALSE
  if (ignore !== FALSE) {
    state.add('ignore', waiting, and(goesOn, ignore))
    waiting.add('ignore', waiting, and(goesOn, ignore))
  }
  return state
}

function emptyCopy(state: State): State {
  const twin = new State(state.kind, state.step)
  twin.window = state.window
  twin.silent = state.silent
  return twin
}

function copy(state: State): State {
  const twin = emptyCopy(state)
  for (const { action, target, condition } of state.transitions) {
    twin.add(action, target === state ? twin : target, condition)
  }
  return twin
}
