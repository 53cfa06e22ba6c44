/**
 * State graph -> decisions. A state's proceeds are followed at compile time; what is left is a list of edges, each with
 * a condition. Which of them fire for an event is read off a decision tree over the conditions' atoms: it asks no
 * atom that cannot matter any more, asks each one once, and its leaves are made once and shared by all runs:
 *
 *     edges: take b if B, ignore if not B, take c if C           B?
 *                                                          yes /  \ no
 *                                                             C?    C?     leaves: [take b, take c] [take b]
 *                                                            /  \  /  \            [ignore, take c] [ignore]
 *
 * Trees grow on demand: a branch that no event ever took does not exist.
 */
import { type Atom, and, type Expr, FALSE, or, settle, TRUE } from './expr.ts'
import type { State } from './graph.ts'

/** What one edge does with a run that it fires for. */
export interface Op {
  readonly take: boolean
  /** Number of the state that the run goes to; -1 if it completes the match and nothing else. */
  readonly target: number
  /** Step that the event is taken for; -1 if it is ignored. */
  readonly step: number
  /** Also completes a match. */
  readonly final: boolean
}

/** What becomes of a run for an event. */
export interface Leaf {
  readonly ops: readonly Op[]
  /** Nothing changes. */
  readonly keep: boolean
  /** A forbidden event: matches that are complete stand, the run ends. */
  readonly stop: boolean
  readonly completes: boolean
}

/** A node of the tree: asks `atom`, or is a leaf. */
export class Decision {
  readonly atom: Atom | null
  readonly leaf: Leaf | null
  yes: Decision | null = null
  no: Decision | null = null
  private readonly edges: Edges
  private readonly known: ReadonlyMap<Atom, boolean>

  constructor(edges: Edges, known: ReadonlyMap<Atom, boolean>) {
    this.edges = edges
    this.known = known
    const open = edges.ask(known)
    this.atom = open
    this.leaf = open === null ? edges.leaf(known) : null
  }

  grow(value: boolean): Decision {
    const next = new Decision(this.edges, new Map([...this.known, [this.atom as Atom, value]]))
    if (value) this.yes = next
    else this.no = next
    return next
  }
}

interface Edge {
  readonly take: boolean
  readonly target: State
  readonly step: number
  readonly condition: Expr
  /** When taking it also completes a match, because the rest of the pattern may be left out. */
  readonly completes: Expr
}

/** All that can become of a run in one state. */
export class Edges {
  private readonly state: State
  private readonly list: readonly Edge[]
  private readonly numbers: Map<State, number>

  /** @param numbers gets a number for each state that a run can rest in */
  constructor(state: State, numbers: Map<State, number>) {
    this.state = state
    this.numbers = numbers
    this.list = flatten(state)
    for (const { target } of this.list) {
      if (rests(target) && !numbers.has(target)) numbers.set(target, numbers.size)
    }
  }

  root(): Decision {
    return new Decision(this, new Map())
  }

  ask(known: ReadonlyMap<Atom, boolean>): Atom | null {
    for (const { condition, completes } of this.list) {
      const fires = settle(condition, known)
      if (typeof fires === 'object') return fires
      const ends = fires && settle(completes, known)
      if (typeof ends === 'object') return ends
    }
    return null
  }

  leaf(known: ReadonlyMap<Atom, boolean>): Leaf {
    const fired = this.list.filter((edge) => settle(edge.condition, known) === true)
    const stop = fired.some((edge) => edge.target.kind === 'stop')
    const ops = fired
      .filter((edge) => edge.target.kind !== 'stop')
      .map(({ take, target, step, completes }) => {
        const final = target.kind === 'final' || settle(completes, known) === true
        return { take, target: target.kind === 'final' || stop ? -1 : this.numberOf(target), step, final }
      })
      .filter((op) => op.final || op.target !== -1)
    const [only] = ops
    const keep = ops.length === 1 && only?.take === false && !stop && only.target === this.numbers.get(this.state)
    return { ops, keep: keep && !only.final, stop, completes: ops.some((op) => op.final) }
  }

  private numberOf(state: State): number {
    return this.numbers.get(state) as number
  }
}

const rests = (state: State): boolean => state.kind === 'normal' || state.kind === 'pending'

/** Edges of `state` and of all that it can proceed to; a proceed that comes back to its own path leads nowhere new. */
function flatten(state: State): Edge[] {
  const edges: Edge[] = []
  const open: { at: State; condition: Expr; path: readonly State[] }[] = [{ at: state, condition: TRUE, path: [state] }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const t of next.at.transitions) {
      const condition = and(next.condition, t.condition)
      if (condition === FALSE) continue
      // A run that comes to rest before a pending state rests there too: see below.
      if (t.action === 'proceed' && t.target.kind === 'pending' && condition === TRUE) continue
      if (t.action === 'proceed' && t.target.kind !== 'stop') {
        if (!next.path.includes(t.target)) open.push({ at: t.target, condition, path: [...next.path, t.target] })
      } else {
        const take = t.action === 'take'
        const edge = { take, step: take ? next.at.step : -1, condition }
        edges.push({ ...edge, target: t.target, completes: take ? canEnd(t.target, []) : FALSE })
        // Absence is told by a timer, without an event that would make the run proceed.
        if (take) for (const target of pendingAfter(t.target)) edges.push({ ...edge, target, completes: FALSE })
      }
    }
  }
  return edges
}

/** The pending states that a run in `state` can proceed to, whatever comes. */
function pendingAfter(state: State): State[] {
  const pending = new Set<State>()
  const reached = new Set([state])
  for (const at of reached) {
    for (const { action, target, condition } of at.transitions) {
      if (action !== 'proceed' || condition !== TRUE) continue
      if (target.kind === 'pending') pending.add(target)
      else reached.add(target)
    }
  }
  return [...pending]
}

/** When a run that comes to `state` is complete without another event. */
export function canEnd(state: State, path: readonly State[]): Expr {
  if (state.kind === 'final' || path.includes(state)) return FALSE
  const ways = state.transitions
    .filter((t) => t.action === 'proceed' && t.target.kind !== 'stop')
    .map((t) => and(t.condition, t.target.kind === 'final' ? TRUE : canEnd(t.target, [...path, state])))
  return or(...ways)
}
