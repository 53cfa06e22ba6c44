import type { Condition } from '../../dsl/pattern/index.ts'

/**
 * One user condition (or time guard) of a pattern. Its result is kept for the event at hand, as long as the function did
 * not look at the run: then it is the same for every run, since up to its first look it cannot tell them apart.
 */
export interface Atom {
  readonly fn: Condition
  /** Event that `value` belongs to; 0 for none. */
  token: number
  value: boolean
}

/** Conditions of transitions: what the compiler makes of `where`, `until`, contiguity and greed. */
export type Expr =
  | { readonly op: 'const'; readonly value: boolean }
  | { readonly op: 'atom'; readonly atom: Atom; readonly negated: boolean }
  | { readonly op: 'and' | 'or'; readonly parts: readonly Expr[] }

export const TRUE: Expr = { op: 'const', value: true }
export const FALSE: Expr = { op: 'const', value: false }

export const newAtom = (fn: Condition): Atom => ({ fn, token: 0, value: false })
export const isAtom = (atom: Atom): Expr => ({ op: 'atom', atom, negated: false })

export function not(e: Expr): Expr {
  if (e.op === 'const') return e.value ? FALSE : TRUE
  if (e.op === 'atom') return { ...e, negated: !e.negated }
  return { op: e.op === 'and' ? 'or' : 'and', parts: e.parts.map(not) }
}

export const and = (...parts: readonly Expr[]): Expr => join('and', parts)
export const or = (...parts: readonly Expr[]): Expr => join('or', parts)

/** Flat, without constants, without repetitions; false (true) if a part and its opposite are joined by and (or). */
function join(op: 'and' | 'or', given: readonly Expr[]): Expr {
  const absorbing = op === 'or'
  const parts: Expr[] = []
  for (const part of given.flatMap((e) => (e.op === op ? e.parts : [e]))) {
    if (part.op === 'const') {
      if (part.value === absorbing) return part
      continue
    }
    if (part.op !== 'atom') parts.push(part)
    else {
      const same = parts.find((p) => p.op === 'atom' && p.atom === part.atom) as typeof part | undefined
      if (same === undefined) parts.push(part)
      else if (same.negated !== part.negated) return absorbing ? TRUE : FALSE
    }
  }
  if (parts.length === 0) return absorbing ? FALSE : TRUE
  return parts.length === 1 ? (parts[0] as Expr) : { op, parts }
}

/** The value of `e` as far as `known` decides it, else the atom to ask next. */
export function settle(e: Expr, known: ReadonlyMap<Atom, boolean>): boolean | Atom {
  if (e.op === 'const') return e.value
  if (e.op === 'atom') {
    const value = known.get(e.atom)
    return value === undefined ? e.atom : value !== e.negated
  }
  const absorbing = e.op === 'or'
  let open: Atom | null = null
  for (const part of e.parts) {
    const value = settle(part, known)
    if (value === absorbing) return value
    if (typeof value === 'object') open ??= value
  }
  return open ?? !absorbing
}
