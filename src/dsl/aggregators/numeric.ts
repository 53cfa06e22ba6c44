import { needFunction } from '../checks.ts'
import { aggregator } from './content.ts'
import type { Aggregator } from './types.ts'

/** Sum of a number of each value, in floating point: exact for integers below 2^53. */
export function sum<V>(of: (value: V) => number): Aggregator<V, number, 'subtractable'> {
  needFunction(of, 'sum')
  return aggregator({
    init: () => 0,
    adders: [(s: number, value: V) => s + of(value)],
    subtract: (s: number, value: V) => s - of(value),
    merge: (a: number, b: number) => a + b,
    pure: true,
    builtin: { op: 'sum', of },
  })
}

type Mean = [sum: number, count: number]

/** Mean of a number of each value: sum and count are kept and divided when the result is read. */
export function avg<V>(of: (value: V) => number): Aggregator<V, number, 'subtractable'> {
  needFunction(of, 'avg')
  const move = (s: Mean, by: number, n: number): Mean => {
    s[0] += by
    s[1] += n
    return s
  }
  return aggregator({
    init: (): Mean => [0, 0],
    adders: [(s: Mean, value: V) => move(s, of(value), 1)],
    subtract: (s: Mean, value: V) => move(s, -of(value), -1),
    merge: (a: Mean, b: Mean) => move(a, b[0], b[1]),
    result: (s: Mean) => s[0] / s[1],
    pure: false,
    builtin: { op: 'avg', of },
  })
}
