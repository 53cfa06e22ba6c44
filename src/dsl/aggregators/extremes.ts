import { needFunction } from '../checks.ts'
import type { OrderedKey } from '../serdes/types.ts'
import { aggregator } from './content.ts'
import { compareKeys } from './order.ts'
import type { Aggregator } from './types.ts'

function extreme<V, T extends OrderedKey>(op: 'min' | 'max', of: (value: V) => T): Aggregator<V, T, 'mergeable'> {
  needFunction(of, op)
  const sign = op === 'min' ? 1 : -1
  const better = (a: T | null, b: T | null): T | null => {
    if (a === null) return b
    return b === null || compareKeys(a, b) * sign <= 0 ? a : b
  }
  return aggregator({
    init: () => null,
    adders: [(s: T | null, value: V) => better(s, of(value))],
    merge: better,
    pure: true,
    builtin: { op, of },
  })
}

/** Smallest of something of each value; of equal ones the first to arrive. */
export function min<V, T extends OrderedKey>(of: (value: V) => T): Aggregator<V, T, 'mergeable'> {
  return extreme('min', of)
}

/** Largest of something of each value; of equal ones the first to arrive. */
export function max<V, T extends OrderedKey>(of: (value: V) => T): Aggregator<V, T, 'mergeable'> {
  return extreme('max', of)
}
