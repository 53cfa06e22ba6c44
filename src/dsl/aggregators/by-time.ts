import { needFunction } from '../checks.ts'
import { aggregator } from './content.ts'
import type { Aggregator } from './types.ts'

/** Event time and value; null before the first value. */
type Dated<T> = readonly [at: number, value: T]

/** First by event time; ties: the first to arrive. */
export function first<V, T>(of: (value: V) => T): Aggregator<V, T, 'mergeable'> {
  needFunction(of, 'first')
  return aggregator({
    init: () => null,
    adders: [(s: Dated<T> | null, value: V, _key: unknown, at: number) => (s && s[0] <= at ? s : [at, of(value)])],
    merge: (a: Dated<T> | null, b: Dated<T> | null) => (a === null || (b !== null && b[0] < a[0]) ? b : a),
    result: (s: Dated<T>) => s[1],
    timed: true,
    pure: true,
    builtin: { op: 'first', of },
  })
}

/** Latest by event time; ties: the last to arrive. */
export function latest<V, T>(of: (value: V) => T): Aggregator<V, T, 'mergeable'> {
  needFunction(of, 'latest')
  return aggregator({
    init: () => null,
    adders: [(s: Dated<T> | null, value: V, _key: unknown, at: number) => (s && s[0] > at ? s : [at, of(value)])],
    merge: (a: Dated<T> | null, b: Dated<T> | null) => (b === null || (a !== null && a[0] > b[0]) ? a : b),
    result: (s: Dated<T>) => s[1],
    timed: true,
    pure: true,
    builtin: { op: 'latest', of },
  })
}
