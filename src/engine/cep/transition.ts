import type { Automaton, RestState } from './automaton.ts'
import type { Atom } from './expr.ts'
import { type Context, unseen } from './context.ts'
import type { Decision, Leaf } from './decide.ts'

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

/** What the event that is offered begins; null if a condition throws. */
export function beginsBy(automaton: Automaton, ts: number): Leaf | null {
  const { context } = automaton
  context.timestamp = ts
  context.look(null)
  try {
    return decide(automaton.start, context)
  } catch {
    return null
  } finally {
    context.leave()
  }
}

/**
 * What the event that is offered does to runs that rest in a state: told without the runs. Null if a condition has to see
 * its run, or throws.
 */
export function reactionOf(automaton: Automaton, state: number, ts: number): Leaf | null {
  const { context } = automaton
  const rest = automaton.states[state] as RestState
  // what looks at its run for every event is not asked each time
  if (rest.looks >= 8 && ++rest.looks % 64 !== 0) return null
  context.timestamp = ts
  context.hide()
  try {
    const leaf = decide(rest.root, context)
    rest.looks = 0
    return ownResult ? null : leaf
  } catch (error) {
    if (error === unseen) rest.looks++
    return null
  } finally {
    context.leave()
  }
}
