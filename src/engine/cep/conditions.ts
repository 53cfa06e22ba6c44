import type { Contiguity, StepSpec } from '../../dsl/pattern/index.ts'
import { and, type Atom, type Expr, FALSE, isAtom, newAtom, not, TRUE } from './expr.ts'
import { choiceDecides, entryOf, type Group, here, inner, type Place, windowOf } from './place.ts'

/** What the guard of a window asks of the run's context, besides what users see. */
export interface TimedContext {
  /** Milliseconds since the run's last event; -Infinity before the first. */
  sincePrevious(): number
}

/** The conditions of a pattern's transitions. Each function is one atom, wherever it stands. */
export class Conditions {
  private readonly atoms = new Map<unknown, Atom>()

  /** When an event is taken for a step. */
  takes(place: Place): Expr {
    return this.condition(here(place), place.group)
  }

  /** The same, of a step that need not be the place's own. */
  condition(step: StepSpec, group: Group | null): Expr {
    return and(this.groupGoesOn(group), step.condition === null ? TRUE : this.atom(step.condition, step.condition))
  }

  /** Events that a run may leave out while it waits for this step: entering it, or between two repetitions. */
  ignores(place: Place, where: 'entry' | 'inner'): Expr {
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

  /** States that also wait for something else are not ended by a timer, so the take itself looks at the time. */
  inTime(place: Place, take: Expr): Expr {
    const ms = windowOf(place)
    if (ms === 0) return take
    const guard = (_event: never, ctx: object): boolean => (ctx as TimedContext).sincePrevious() < ms
    return and(this.atom(`within ${ms}`, guard), take)
  }

  /** The end of its loop; null: it has none. */
  until(place: Place): Expr | null {
    const until = here(place).quantifier?.until ?? null
    return until === null ? null : this.atom(until, until)
  }

  /** `e`, as long as the loop has not ended. */
  unlessUntil(place: Place, e: Expr): Expr {
    const until = this.until(place)
    return until === null ? e : and(not(until), e)
  }

  /** What every transition inside of a group with `until` needs. */
  groupGoesOn(group: Group | null): Expr {
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
