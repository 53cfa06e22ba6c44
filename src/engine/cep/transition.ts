import type { Automaton, RestState } from './automaton.ts'
import type { Atom } from './expr.ts'
import type { Context } from './context.ts'
import type { Decision, Leaf } from './decide.ts'

/** The event at hand, as the decisions see it. */
export interface Offer {
  readonly value: unknown
  readonly ts: number
}

/** Tells events apart; conditions keep their result for the token it was made for. */
let token = 0
let value: never
/** A condition of the last walk looked at its run. */
let ownResult = false

/** Makes `event` the one that `decide` is about. */
export function offerEvent(event: unknown): void {
  token++
  value = event as never
  ownResult = false
}

/** Walks the tree of a state for the run that `ctx` looks at. */
export function decide(root: Decision, ctx: Context): Leaf {
  ownResult = false
  let at = root
  while (at.atom !== null) {
    at = test(at.atom, ctx) ? (at.yes ?? at.grow(true)) : (at.no ?? at.grow(false))
  }
  return at.leaf as Leaf
}

/** Whether another run might have been decided differently by the last walk. */
export const wasOwn = (): boolean => ownResult

function test(atom: Atom, ctx: Context): boolean {
  if (atom.token === token) return atom.value
  const { fn } = atom
  ctx.looked = false
  const result = fn(value, ctx) === true
  if (ctx.looked) ownResult = true
  else {
    atom.token = token
    atom.value = result
  }
  return result
}

/**
 * Whether the event that is offered may do something to runs in these states, or begin one: told without the runs. True
 * also if a condition has to see its run, or throws.
 */
export function mayReact(automaton: Automaton, states: readonly number[], ts: number): boolean {
  const { context } = automaton
  context.timestamp = ts
  try {
    context.look(null)
    if (decide(automaton.start, context).ops.length > 0) return true
    for (let i = 0; i < states.length; i++) {
      context.hide()
      const { root } = automaton.states[states[i] as number] as RestState
      if (!decide(root, context).keep || ownResult) return true
    }
    return false
  } catch {
    return true
  } finally {
    context.leave()
  }
}
