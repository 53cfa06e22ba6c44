import type { PatternSpec } from '../../dsl/pattern/index.ts'
import { namesOf, withinOf } from '../../dsl/pattern/index.ts'
import { compileGraph } from './compile.ts'
import { Context } from './context.ts'
import { canEnd, type Decision, Edges } from './decide.ts'
import { FALSE } from './expr.ts'
import type { State } from './graph.ts'
import { validate } from './validate.ts'

/** A state that a run can rest in between two events. */
export interface RestState {
  readonly root: Decision
  /** Completes a match when its window is over. */
  readonly pending: boolean
  /** Milliseconds after the run's last event at which it ends; 0: never. */
  readonly window: number
  /** When its window ends it, no time-out is told: another run goes on without what it waited for. */
  readonly silent: boolean
  /** How many events in a row had a condition look at the run. */
  looks: number
}

/** A compiled pattern: shared by the matchers of all keys. Its decision trees grow as events come. */
export interface Automaton {
  readonly names: readonly string[]
  readonly start: Decision
  readonly states: readonly RestState[]
  /** Window of the whole pattern in milliseconds, right-exclusive; 0: none. */
  readonly within: number
  /** Some state has a window of its own. */
  readonly timed: boolean
  readonly canMatchEmpty: boolean
  readonly context: Context
}

/** @throws PatternError if only the whole pattern shows that it makes no sense */
export function compile(spec: PatternSpec): Automaton {
  validate(spec)
  const graph = compileGraph(spec)
  const numbers = new Map<State, number>()
  const start = new Edges(graph.start, numbers).root()
  const states: RestState[] = []
  // Each state adds the states that it leads to; Map iteration sees them.
  for (const [state] of numbers) states.push(restState(state, numbers))
  return {
    names: graph.names,
    start,
    states,
    within: withinOf(spec) ?? 0,
    timed: states.some((state) => state.window > 0),
    canMatchEmpty: canEnd(graph.start, []) !== FALSE,
    context: new Context(
      graph.names,
      namesOf(spec, true).filter((name) => !graph.names.includes(name)),
    ),
  }
}

function restState(state: State, numbers: Map<State, number>): RestState {
  // A run that may go on without this step must not end with the step's window.
  const waitsForMore = state.transitions.some((t) => t.action === 'proceed' && t.target.kind !== 'stop')
  return {
    root: new Edges(state, numbers).root(),
    pending: state.kind === 'pending',
    window: waitsForMore ? 0 : state.window,
    silent: state.silent,
    looks: 0,
  }
}
