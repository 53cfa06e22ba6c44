import { needCount, needFunction } from '../checks.ts'
import type { OrderedKey } from '../serdes/types.ts'
import { aggregator } from './content.ts'
import { compareKeys, lowerBound } from './order.ts'
import type { Aggregator } from './types.ts'

interface Ranked<T> {
  readonly item: T
  readonly count: number
}
/** Items ascending with their counts beside them, and the k best of them, which counting up keeps right at O(k). */
interface Counts<T> {
  items: T[]
  counts: number[]
  top: Ranked<T>[]
}

/**
 * The k most frequent items of the values, most frequent first, ties to the smaller item.
 *
 * The counts are exact, which costs memory: each different item of a key (and window) is kept with its count, about
 * 16 bytes and the item itself. Use it where a key has up to some ten thousand different items. A value costs
 * O(log n + k), a new item O(n) to make room.
 */
export function topK<V, T extends OrderedKey>(
  of: (value: V) => T,
  k: number,
): Aggregator<V, readonly Ranked<T>[], 'mergeable'> {
  needFunction(of, 'topK')
  needCount(k, 'topK k')
  return aggregator({
    init: (): Counts<T> => ({ items: [], counts: [], top: [] }),
    adders: [(s: Counts<T>, value: V) => tally(s, of(value), 1, k)],
    merge: (a: Counts<T>, b: Counts<T>) => {
      for (const [i, item] of b.items.entries()) tally(a, item, b.counts[i] as number, k)
      return a
    },
    result: (s: Counts<T>) => s.top.slice(),
    pure: false,
    builtin: { op: 'topK', of, limit: k },
  })
}

function tally<T extends OrderedKey>(s: Counts<T>, item: T, n: number, k: number): Counts<T> {
  const at = lowerBound(s.items, item)
  const known = at < s.items.length && compareKeys(s.items[at] as T, item) === 0
  if (!known) {
    s.items.splice(at, 0, item)
    s.counts.splice(at, 0, 0)
  }
  const count = (s.counts[at] as number) + n
  s.counts[at] = count
  rank(s.top, { item, count }, k)
  return s
}

const before = <T extends OrderedKey>(a: Ranked<T>, b: Ranked<T>): boolean =>
  a.count > b.count || (a.count === b.count && compareKeys(a.item, b.item) < 0)

/** Counts only grow, so whoever is not in the list can only enter it at his own turn. */
function rank<T extends OrderedKey>(top: Ranked<T>[], entry: Ranked<T>, k: number): void {
  let at = top.findIndex((other) => compareKeys(other.item, entry.item) === 0)
  if (at < 0) {
    at = top.length
    if (at === k) {
      at--
      if (!before(entry, top[at] as Ranked<T>)) return
    }
  }
  while (at > 0 && before(entry, top[at - 1] as Ranked<T>)) {
    top[at] = top[at - 1] as Ranked<T>
    at--
  }
  top[at] = entry
}
