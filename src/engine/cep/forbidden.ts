import type { StepSpec } from '../../dsl/pattern/index.ts'
import type { Conditions } from './conditions.ts'
import { emptyCopy, State } from './graph.ts'
import { here, type Place } from './place.ts'

/** Steps that must not match: a state for each, to which a run proceeds that must end. */
export class Forbidden {
  private readonly stops = new Map<StepSpec, State>()
  private readonly conditions: Conditions

  constructor(conditions: Conditions) {
    this.conditions = conditions
  }

  /** `state` ends with what is forbidden before its place. */
  addStops(place: Place, state: State): void {
    for (const step of this.passedNots(place))
      state.add('proceed', this.stopState(step), this.conditions.condition(step, place.group))
  }

  /** A loop ends with what is forbidden behind it. */
  addStopAfterLoop({ following, group }: Place, state: State): void {
    if (following?.contiguity !== 'notFollowedBy') return
    state.add('proceed', this.stopState(following), this.conditions.condition(following, group))
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
  withoutPassedNots(place: Place, sink: State, copies = new Map<State, State>()): State {
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

  /** Where a run goes that must end. */
  stopState(step: StepSpec): State {
    const known = this.stops.get(step)
    if (known !== undefined) return known
    const stop = new State('stop', -1)
    this.stops.set(step, stop)
    return stop
  }
}
