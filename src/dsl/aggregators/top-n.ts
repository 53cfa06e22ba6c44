import { isDeepStrictEqual } from 'node:util'
import { needCount, needFunction } from '../checks.ts'
import type { AggregateSpec } from '../plan/index.ts'
import type { OrderedKey } from '../serdes/types.ts'
import { compareKeys } from './order.ts'

/** Values, best first, with their ranks beside them. Never changed in place: results share the arrays. */
interface Best {
  readonly ranks: readonly OrderedKey[]
  readonly values: readonly unknown[]
}
const none: Best = Object.freeze({ ranks: [], values: [] })

/** Behind all of an equal rank: ties go to the first to arrive. */
function placeOf(ranks: readonly OrderedKey[], rank: OrderedKey): number {
  let low = 0
  let high = ranks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(ranks[middle] as OrderedKey, rank) >= 0) low = middle + 1
    else high = middle
  }
  return low
}

function insert(s: Best, rank: OrderedKey, value: unknown, limit: number): Best {
  const at = placeOf(s.ranks, rank)
  if (at >= limit) return s
  const ranks = s.ranks.toSpliced(at, 0, rank)
  const values = s.values.toSpliced(at, 0, value)
  if (ranks.length > limit) {
    ranks.pop()
    values.pop()
  }
  return { ranks, values }
}

/**
 * The n values of the highest rank, highest first, ties in order of arrival. Of a stream: n values are kept.
 */
export function topNSpec(n: number, by: (value: any, key: any) => OrderedKey): AggregateSpec {
  needCount(n, 'topN n')
  needFunction(by, 'topN by')
  return {
    kind: 'aggregate',
    init: () => none,
    adders: [(s: Best, value: unknown, key: unknown) => insert(s, by(value, key), value, n)],
    merge: (a: Best, b: Best) => b.ranks.reduce((s: Best, rank, i) => insert(s, rank, b.values[i], n), a),
    result: (s: Best) => s.values,
    // what is not among the best leaves the very state
    unchanged: (before: Best, after: Best) => before === after,
    mergeable: true,
    pure: true,
    builtin: { op: 'topN', of: by, limit: n },
  }
}

/**
 * The same over the rows of a table group. When one of the best leaves, the next must be known, so that *all* rows of a
 * group are kept; a change costs O(rows of the group).
 */
export function topNOfRowsSpec(n: number, by: (value: any, key: any) => OrderedKey): AggregateSpec {
  const { merge: _, ...spec } = topNSpec(n, by)
  return {
    ...spec,
    adders: [(s: Best, value: unknown, key: unknown) => insert(s, by(value, key), value, Number.POSITIVE_INFINITY)],
    subtract: (s: Best, value: unknown, key: unknown) => remove(s, by(value, key), value),
    result: (s: Best) => s.values.slice(0, n),
    unchanged: (before: Best, after: Best) => before === after || sameHead(before.values, after.values, n),
    mergeable: false,
  }
}

function sameHead(a: readonly unknown[], b: readonly unknown[], n: number): boolean {
  const length = Math.min(a.length, n)
  if (length !== Math.min(b.length, n)) return false
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false
  return true
}

/**
 * null when nothing is left. Of rows of one rank the one of equal content goes; where none is (what was stored may have
 * lost its class), any of them, since the row that leaves is known to be there.
 */
function remove(s: Best, rank: OrderedKey, value: unknown): Best | null {
  const end = placeOf(s.ranks, rank)
  let start = end
  while (start > 0 && compareKeys(s.ranks[start - 1] as OrderedKey, rank) === 0) start--
  if (start === end) return s
  if (s.ranks.length === 1) return null
  const found = s.values.slice(start, end).findIndex((other) => isDeepStrictEqual(other, value))
  const at = found < 0 ? start : start + found
  return { ranks: s.ranks.toSpliced(at, 1), values: s.values.toSpliced(at, 1) }
}
