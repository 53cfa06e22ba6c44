import { DhaaraError } from '../../errors/index.ts'
import { needFunction } from '../checks.ts'
import { show } from '../vault.ts'
import { aggregator } from './content.ts'
import { addValue, emptySketch, mergeSketches, quantileOf, type Sketch } from './ddsketch.ts'
import type { Aggregator } from './types.ts'

/**
 * A quantile of a number of each value, by DDSketch: within 1 % of the value whose rank among n is floor(q (n - 1)), whatever
 * the distribution; `q` 0 and 1 (and the ends of the ranks) are exact. Some kilobytes a key and window.
 * Use it for latencies and sizes, where an error relative to the value is what counts.
 *
 * @param q 0 … 1, 0.99 for the 99th percentile
 */
export function quantile<V>(of: (value: V) => number, q: number): Aggregator<V, number, 'mergeable'> {
  needFunction(of, 'quantile')
  if (!(q >= 0 && q <= 1)) {
    throw new DhaaraError('DHAARA_OPTION', `quantile: found q = ${show(q)}, expected 0 to 1, e.g. 0.99`)
  }
  const add = (sketch: Sketch, value: V): Sketch => {
    const number = of(value)
    if (Number.isFinite(number)) return addValue(sketch, number)
    throw new DhaaraError('DHAARA_USER_CODE', `quantile: found ${show(number)}, expected a finite number; filter first`)
  }
  return aggregator({
    init: emptySketch,
    adders: [add],
    merge: mergeSketches,
    result: (sketch: Sketch) => quantileOf(sketch, q),
    pure: false,
    builtin: { op: 'quantile', of, q },
  })
}
