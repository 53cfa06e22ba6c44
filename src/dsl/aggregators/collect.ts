import { needCount, needFunction } from '../checks.ts'
import { aggregator } from './content.ts'
import type { Aggregator } from './types.ts'

/**
 * Something of each value, in order of arrival. Keeps all of them, or the first `max` of each key (and window).
 * Merged sessions: the items of the earlier session first.
 */
export function collect<V, T>(
  of: (value: V) => T,
  opts: { readonly max?: number } = {},
): Aggregator<V, readonly T[], 'mergeable'> {
  needFunction(of, 'collect')
  const max = opts.max === undefined ? Number.POSITIVE_INFINITY : needCount(opts.max, 'collect max')
  return aggregator({
    init: () => [],
    adders: [
      (items: T[], value: V) => {
        if (items.length < max) items.push(of(value))
        return items
      },
    ],
    merge: (a: T[], b: T[]) => {
      for (let i = 0; i < b.length && a.length < max; i++) a.push(b[i] as T)
      return a
    },
    result: (items: T[]) => items.slice(),
    pure: false,
    builtin: { op: 'collect', of, ...(opts.max === undefined ? {} : { limit: max }) },
  })
}
