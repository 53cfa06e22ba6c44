import type { Fold } from './shape.ts'

/** What the model and the engine run as user code. Values may be anything that JSON holds; each has a number. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (value === null || value === undefined) return 7
  let sum = 0
  for (const char of JSON.stringify(value)) sum = (sum * 31 + char.charCodeAt(0)) % 997
  return sum
}

const text = (key: unknown): string =>
  key === null || key === undefined ? '-' : typeof key === 'string' ? key : JSON.stringify(key)

/** One key in `keys` + 1 is null. */
export function keyFor(value: unknown, keys: number): string | null {
  const n = numberOf(value) % (keys + 1)
  return n === keys ? null : `k${n}`
}

export const passes = (value: unknown, mod: number): boolean => numberOf(value) % mod !== 0
export const plus = (value: unknown, n: number): unknown => ({ p: (numberOf(value) + n) % 1000 })
export const copyPairs = (value: unknown, key: unknown, n: number): [string, unknown][] =>
  Array.from({ length: numberOf(value) % (n + 1) }, (_, i) => [`${text(key).slice(0, 2)}${i}`, numberOf(value) + i])
export const copies = (value: unknown, n: number): unknown[] =>
  Array.from({ length: numberOf(value) % (n + 1) }, (_, i) => ({ c: numberOf(value) + i }))
export const joined = (left: unknown, right: unknown): unknown => ({
  l: left === null ? null : numberOf(left),
  r: right === null ? null : numberOf(right),
})

interface Sum {
  n: number
  s: number
}
interface List {
  all: number[]
}

/** Adders that change their aggregate in place, as users may. */
export const folds: Record<
  Exclude<Fold, 'count' | 'reduce'>,
  { init(): unknown; add(state: never, value: unknown, key: unknown): unknown }
> = {
  sum: {
    init: () => ({ n: 0, s: 0 }),
    add(state: Sum, value) {
      state.n++
      state.s += numberOf(value)
      return state
    },
  },
  list: {
    init: () => ({ all: [] }),
    add(state: List, value) {
      state.all.push(numberOf(value))
      if (state.all.length > 4) state.all.shift()
      return state
    },
  },
  fleeting: {
    init: () => ({ n: 0, s: 0 }),
    add(state: Sum, value) {
      state.n++
      state.s += numberOf(value)
      return state.s % 3 === 0 ? null : state
    },
  },
}

/** Joins the states of two sessions, in place as users may. */
export function merge(left: unknown, right: unknown): unknown {
  const [one, other] = [left as Partial<Sum & List>, right as Partial<Sum & List>]
  if (one.all !== undefined) one.all.push(...(other.all ?? []))
  else {
    one.n = (one.n ?? 0) + (other.n ?? 0)
    one.s = (one.s ?? 0) + (other.s ?? 0)
  }
  return one
}

/** The second input of a cogroup. */
export function addOther(state: unknown, value: unknown): unknown {
  const one = state as Partial<Sum & List>
  if (one.all === undefined) one.s = (one.s ?? 0) + 1000 + numberOf(value)
  else one.all.push(-1 - numberOf(value))
  return state
}

export const reduceAdd = (state: unknown, value: unknown): unknown => ({
  x: (numberOf(state) * 3 + numberOf(value)) % 991,
})
export const tallyReduce = {
  add: (state: unknown, value: unknown): unknown => numberOf(state) + numberOf(value),
  subtract: (state: unknown, value: unknown): unknown => numberOf(state) - numberOf(value),
}
/** A group without rows is deleted. */
export const tallySum = {
  init: (): unknown => ({ n: 0, s: 0 }),
  add(state: unknown, value: unknown): unknown {
    const sum = state as Sum
    sum.n++
    sum.s += numberOf(value)
    return sum
  },
  subtract(state: unknown, value: unknown): unknown {
    const sum = state as Sum
    sum.n--
    sum.s -= numberOf(value)
    return sum.n === 0 ? null : sum
  },
}
export const grouped = (value: unknown, keys: number): readonly [string | null, number] => [
  keyFor(value, keys),
  numberOf(value),
]

/** What a processor asks of its context, by whoever runs it. */
export interface Hands {
  count(key: string): number | undefined
  setCount(key: string, n: number | undefined): void
  setTimer(key: string, at: number, name: string | undefined): void
  dropTimer(key: string, name: string | undefined): void
  forward(value: unknown, key: unknown, opts?: { timestamp?: number; headers?: Record<string, string> }): void
}

/** Counts, sets timers ahead and behind, moves and deletes them, re-arms some. */
export function processor(delay: number, valuesOnly: boolean, hands: Hands) {
  const keyOut = (key: string) => (valuesOnly ? key : `${key}'`)
  return {
    process(value: unknown, key: string | null, timestamp: number) {
      const kind = numberOf(value) % 6
      if (key === null) {
        hands.forward({ keyless: kind }, key)
        return
      }
      const n = (hands.count(key) ?? 0) + 1
      hands.setCount(key, n)
      if (kind === 0) hands.dropTimer(key, 'x')
      if (kind === 1) hands.setTimer(key, timestamp + delay, undefined)
      if (kind === 2) hands.setTimer(key, timestamp + delay + 1, 'x')
      if (kind === 3) hands.setTimer(key, Math.max(0, timestamp - 1), 'past')
      if (kind === 4) hands.setCount(key, undefined)
      if (kind === 5) hands.forward({ n, kind }, keyOut(key), { timestamp: timestamp + 1, headers: { own: 'yes' } })
      hands.forward({ n, kind }, keyOut(key))
    },
    onTimer(key: string, at: number, name: string | undefined) {
      const n = (hands.count(key) ?? 0) + 1
      hands.setCount(key, n)
      hands.forward({ timer: name ?? '', at, n }, keyOut(key))
      if (at % 3 === 0 && n < 8) hands.setTimer(key, at + delay, name)
    },
  }
}
