import type { Expr } from './expr.ts'

/** The state graph that a pattern is compiled to, before it is flattened into decisions. */

/** Proceed: go on without the event. Ignore: leave the event out. Take: it becomes an event of the step. */
export type Action = 'proceed' | 'ignore' | 'take'

/** Pending: complete as soon as its window is over. Stop: a forbidden event came. */
export type StateKind = 'normal' | 'pending' | 'stop' | 'final'

export interface Transition {
  readonly action: Action
  readonly target: State
  /** Greedy steps narrow what follows them, after it was built. */
  condition: Expr
}

export class State {
  readonly kind: StateKind
  /** Number of the step whose events it takes; -1 for none. */
  readonly step: number
  readonly transitions: Transition[] = []
  /** Milliseconds that its take may lie after the event before, right-exclusive; 0: any time. */
  window = 0
  /** The window of an optional continuation: when it is over, nothing was missed that anyone waits for. */
  silent = false
  /** Made of the takes of an alternative's first step. */
  entry = false

  constructor(kind: StateKind, step: number) {
    this.kind = kind
    this.step = step
  }

  add(action: Action, target: State, condition: Expr): void {
    this.transitions.push({ action, target, condition })
  }
}

/** A state of the same kind without its transitions. */
export function emptyCopy(state: State): State {
  const twin = new State(state.kind, state.step)
  twin.window = state.window
  twin.silent = state.silent
  return twin
}

/** A state with the same transitions; those to itself lead to the copy. */
export function copy(state: State): State {
  const twin = emptyCopy(state)
  for (const { action, target, condition } of state.transitions) {
    twin.add(action, target === state ? twin : target, condition)
  }
  return twin
}
