/** An estimate, and the interval in which it lies with a confidence of `level`. */
export interface Interval {
  readonly estimate: number
  readonly low: number
  readonly high: number
  /** What the interval covers: at least what was wanted, less only if there are too few values for it. */
  readonly level: number
}

/**
 * By how much `b` is above `a`, as a factor: the median of all quotients b / a (Hodges and Lehmann 1963), with the interval
 * that the Mann-Whitney test leaves (Bauer 1972). It assumes nothing about how the values are spread, which is well: benchmark
 * times are skewed, and there are few of them.
 *
 * @throws RangeError if a side is empty, or a value is not above 0
 */
export function ratioInterval(a: readonly number[], b: readonly number[], level = 0.95): Interval {
  if (a.length === 0 || b.length === 0) throw new RangeError('There is no ratio of nothing')
  if ([...a, ...b].some((value) => !(value > 0))) throw new RangeError('A ratio needs values above 0')
  const quotients = b.flatMap((y) => a.map((x) => y / x)).toSorted((x, y) => x - y)
  const n = quotients.length
  const atMost = mannWhitney(a.length, b.length)
  let left = 0
  while (left + 1 < n / 2 && 2 * atMost(left + 1) <= 1 - level) left++
  return {
    estimate: Math.sqrt(quotients[(n - 1) >> 1]! * quotients[n >> 1]!),
    low: quotients[left]!,
    high: quotients[n - 1 - left]!,
    level: 1 - 2 * atMost(left),
  }
}

/** P(U <= u) for samples of n and m values of one distribution: by counting the orders that give each U. */
function mannWhitney(n: number, m: number): (u: number) => number {
  /** By the number of values of the first sample: how many orders have which U. */
  let ways: number[][] = Array.from({ length: n + 1 }, () => [1])
  for (let j = 1; j <= m; j++) {
    const next: number[][] = [[1]]
    for (let k = 1; k <= n; k++) {
      const counts = new Array<number>(k * j + 1).fill(0)
      // The highest value of all is one of the first sample (above all j of the second), or one of the second.
      for (const [u, count] of next[k - 1]!.entries()) counts[u + j]! += count
      for (const [u, count] of ways[k]!.entries()) counts[u]! += count
      next.push(counts)
    }
    ways = next
  }
  const counts = ways[n]!
  const total = counts.reduce((sum, count) => sum + count)
  return (u) => counts.slice(0, u + 1).reduce((sum, count) => sum + count, 0) / total
}

/**
 * The same of runs in pairs, each of a moment of its own: the median of the quotients b / a of the pairs, with the interval that
 * the sign test leaves (Thompson 1936). What makes a machine slow for both of a pair does not count.
 *
 * @throws RangeError if there are no pairs, or not as many of the one as of the other, or a value is not above 0
 */
export function pairedInterval(a: readonly number[], b: readonly number[], level = 0.95): Interval {
  if (a.length === 0 || a.length !== b.length) throw new RangeError(`There are no pairs of ${a.length} and ${b.length}`)
  if ([...a, ...b].some((value) => !(value > 0))) throw new RangeError('A ratio needs values above 0')
  const quotients = b.map((y, i) => y / a[i]!).toSorted((x, y) => x - y)
  const n = quotients.length
  // P(X <= k) of n throws of a coin
  const atMost: number[] = []
  for (let k = 0, ways = 1, sum = 0; k < n; k++) {
    sum += ways
    atMost.push(sum / 2 ** n)
    ways = (ways * (n - k)) / (k + 1)
  }
  let left = 0
  while (left + 1 < n / 2 && 2 * atMost[left + 1]! <= 1 - level) left++
  return {
    estimate: Math.sqrt(quotients[(n - 1) >> 1]! * quotients[n >> 1]!),
    low: quotients[left]!,
    high: quotients[n - 1 - left]!,
    level: Math.max(0, 1 - 2 * atMost[left]!),
  }
}
