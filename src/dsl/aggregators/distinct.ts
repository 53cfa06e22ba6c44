import { needFunction } from '../checks.ts'
import type { OrderedKey } from '../serdes/types.ts'
import { aggregator } from './content.ts'
import { compareKeys, lowerBound } from './order.ts'
import type { Aggregator } from './types.ts'

/**
 * The set of something of the values, ascending. Exact: keeps every item that it has seen. An item that is there costs
 * O(log n), a new one O(n) to copy; what is emitted is never changed later, so an update costs no copy.
 */
export function distinct<V, T extends OrderedKey>(of: (value: V) => T): Aggregator<V, readonly T[], 'mergeable'> {
  needFunction(of, 'distinct')
  return aggregator({
    init: () => [],
    adders: [(items: readonly T[], value: V) => withItem(items, of(value))],
    merge: union,
    pure: true,
    builtin: { op: 'distinct', of },
  })
}

function withItem<T extends OrderedKey>(items: readonly T[], item: T): readonly T[] {
  const at = lowerBound(items, item)
  if (at < items.length && compareKeys(items[at] as T, item) === 0) return items
  return items.toSpliced(at, 0, item)
}

function union<T extends OrderedKey>(a: readonly T[], b: readonly T[]): readonly T[] {
  const out: T[] = []
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const order = compareKeys(a[i] as T, b[j] as T)
    out.push((order <= 0 ? a[i] : b[j]) as T)
    if (order <= 0) i++
    if (order >= 0) j++
  }
  while (i < a.length) out.push(a[i++] as T)
  while (j < b.length) out.push(b[j++] as T)
  return out
}
