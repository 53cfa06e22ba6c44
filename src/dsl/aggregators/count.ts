import type { AggregateSpec } from '../plan/index.ts'
import { aggregator } from './content.ts'
import type { Aggregator } from './types.ts'

/** Shared by `count()` steps and the `count()` aggregator. */
export const countSpec: AggregateSpec = Object.freeze({
  kind: 'count',
  init: () => 0,
  adders: Object.freeze([(n: number) => n + 1]),
  subtract: (n: number) => n - 1,
  merge: (a: number, b: number) => a + b,
  mergeable: true,
  pure: true,
  builtin: Object.freeze({ op: 'count' }),
})

/** How many values. */
export function count(): Aggregator<unknown, number, 'subtractable'> {
  return aggregator({ ...countSpec, kind: 'count' })
}
