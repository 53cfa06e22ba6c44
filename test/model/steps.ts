import { addOther, folds, grouped, joined, merge, passes, plus, reduceAdd, tallyReduce, tallySum } from './functions.ts'
import type { Fold, ShapeNode } from './shape.ts'

export type Key = unknown
export type Headers = Readonly<Record<string, string>>

/** A record, or a row's change: then a null value deletes, and `old` is what the row was (undefined: not there). */
export interface Item {
  readonly key: Key
  readonly value: unknown
  readonly old?: unknown
  readonly ts: number
  readonly headers: Headers
}

export interface Row {
  readonly key: Key
  readonly value: unknown
  readonly ts: number
}

export type Emit = (item: Item) => void

/** One step with state. */
export interface Stateful {
  take(item: Item, port: number): void
  /** When time is to call it next. */
  due?(): number
  fire?(at: number): void
  row?(key: Key): Row | undefined
  rows(): Row[]
}

export const noHeaders: Headers = {}
export const idOf = (key: Key): string => JSON.stringify(key)
const none = (value: unknown): boolean => value === null || value === undefined
const copy = <T>(value: T): T => structuredClone(value)

/** The state after a value; null: nothing is left. */
export function folded(fold: Fold, state: unknown, value: unknown, key: Key, port: number): unknown {
  if (fold === 'count') return ((state as number | undefined) ?? 0) + 1
  if (fold === 'reduce') return state === undefined ? copy(value) : reduceAdd(state, value)
  const { init, add } = folds[fold]
  const before = state === undefined ? init() : copy(state)
  return port === 1 ? addOther(before, value) : add(before as never, value, key)
}

/** Two sessions' states become one. */
export function merged(fold: Fold, left: unknown, right: unknown): unknown {
  if (fold === 'count') return (left as number) + (right as number)
  return fold === 'reduce' ? reduceAdd(left, right) : merge(copy(left), copy(right))
}

/** Rows by key. */
export class Rows {
  private readonly held = new Map<string, Row>()

  get(key: Key): Row | undefined {
    return this.held.get(idOf(key))
  }

  set(key: Key, value: unknown, ts: number): void {
    if (none(value)) this.held.delete(idOf(key))
    else this.held.set(idOf(key), { key, value, ts })
  }

  all(): Row[] {
    return [...this.held.values()].sort((a, b) => (idOf(a.key) < idOf(b.key) ? -1 : 1))
  }
}

/** `aggregate` without windows. */
export class Aggregate implements Stateful {
  private readonly held = new Rows()
  private readonly fold: Fold
  private readonly out: Emit

  constructor(fold: Fold, out: Emit) {
    this.fold = fold
    this.out = out
  }

  take({ key, value, ts, headers }: Item, port: number): void {
    if (none(key) || none(value)) return
    const row = this.held.get(key)
    const next = folded(this.fold, row?.value, value, key, port)
    const at = Math.max(ts, row?.ts ?? 0)
    this.held.set(key, next, at)
    if (!none(next) || row !== undefined)
      this.out({ key, value: copy(next ?? null), old: copy(row?.value), ts: at, headers })
  }

  row(key: Key): Row | undefined {
    return this.held.get(key)
  }

  rows(): Row[] {
    return this.held.all()
  }
}

/** Source tables, `toTable`, and tables whose rows are kept. */
export class Table implements Stateful {
  private readonly held = new Rows()
  private readonly out: Emit

  constructor(out: Emit) {
    this.out = out
  }

  take({ key, value, ts, headers }: Item): void {
    if (none(key)) return
    const old = this.held.get(key)?.value
    this.held.set(key, value, ts)
    this.out({ key, value: value ?? null, old, ts, headers })
  }

  row(key: Key): Row | undefined {
    return this.held.get(key)
  }

  rows(): Row[] {
    return this.held.all()
  }
}

/** Behind `groupBy` of a table: takes the old row out of its group, then puts the new one in. */
export class Tally implements Stateful {
  private readonly held = new Rows()
  private readonly fold: 'count' | 'sum' | 'reduce'
  private readonly out: Emit

  constructor(fold: 'count' | 'sum' | 'reduce', out: Emit) {
    this.fold = fold
    this.out = out
  }

  take({ key, value, old, ts, headers }: Item): void {
    if (none(key)) return
    const row = this.held.get(key)
    let state = copy(row?.value)
    if (!none(old) && state !== undefined) state = this.less(state, old) ?? undefined
    if (!none(value)) state = this.more(state, value)
    const at = Math.max(ts, row?.ts ?? 0)
    this.held.set(key, state, at)
    if (state !== undefined || row !== undefined)
      this.out({ key, value: copy(state ?? null), old: copy(row?.value), ts: at, headers })
  }

  rows(): Row[] {
    return this.held.all()
  }

  row(key: Key): Row | undefined {
    return this.held.get(key)
  }

  private less(state: unknown, old: unknown): unknown {
    if (this.fold === 'count') return (state as number) - 1
    return this.fold === 'reduce' ? tallyReduce.subtract(state, old) : tallySum.subtract(state, old)
  }

  private more(state: unknown, value: unknown): unknown {
    if (this.fold === 'count') return ((state as number | undefined) ?? 0) + 1
    if (this.fold === 'reduce') return state === undefined ? value : tallyReduce.add(state, value)
    return tallySum.add(state ?? tallySum.init(), value)
  }
}

/** Changes of a row's group: out of the old one, into the new one; both at once where they are the same. */
export function regroup({ value, old, ts, headers }: Item, keys: number, out: Emit): void {
  const [now, before] = [none(value) ? null : grouped(value, keys), none(old) ? null : grouped(old, keys)]
  if (now !== null && before !== null && now[0] === before[0]) {
    out({ key: now[0], value: now[1], old: before[1], ts, headers })
    return
  }
  if (before !== null) out({ key: before[0], value: null, old: before[1], ts, headers })
  if (now !== null) out({ key: now[0], value: now[1], ts, headers })
}

/** What a filter or map of a table makes of one row. */
export function derived(node: Extract<ShapeNode, { op: 'tableFilter' | 'tableMap' }>, value: unknown): unknown {
  if (none(value)) return undefined
  if (node.op === 'tableMap') return plus(value, node.plus)
  return passes(value, node.mod) ? value : undefined
}

/** Joins what changed with the other side's row of the moment, as Kafka Streams does. */
export class TableJoin {
  private readonly how: 'inner' | 'left' | 'outer'
  private readonly sides: readonly [(key: Key) => Row | undefined, (key: Key) => Row | undefined]
  private readonly out: Emit

  constructor(
    how: 'inner' | 'left' | 'outer',
    sides: readonly [(key: Key) => Row | undefined, (key: Key) => Row | undefined],
    out: Emit,
  ) {
    this.how = how
    this.sides = sides
    this.out = out
  }

  take({ key, value, old, ts, headers }: Item, port: number): void {
    if (none(key)) return
    const other = this.sides[port === 0 ? 1 : 0](key)
    const alone = port === 0 ? this.how !== 'inner' : this.how === 'outer'
    if (other === undefined && (!alone || (none(value) && none(old)))) return
    const of = (changed: unknown) =>
      port === 0 ? this.joined(changed, other?.value) : this.joined(other?.value, changed)
    this.out({ key, value: of(value) ?? null, old: of(old), ts: Math.max(ts, other?.ts ?? 0), headers })
  }

  private joined(left: unknown, right: unknown): unknown {
    if (none(left) && (this.how !== 'outer' || none(right))) return undefined
    if (none(right) && this.how === 'inner') return undefined
    return joined(left ?? null, right ?? null)
  }
}
