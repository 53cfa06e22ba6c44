import type { Contiguity } from '../../dsl/pattern/index.ts'
import { and, type Expr, FALSE, not, or, TRUE } from './expr.ts'
import { State } from './graph.ts'

/** Stands before all `heads`: takes the first event of any; with `followedBy` it ignores what none of them can take. */
export function fork(heads: readonly State[], entry: Contiguity, goesOn: Expr): State {
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
