import assert from 'node:assert/strict'
import { pairedInterval, ratioInterval } from '../../bench/harness/confidence.ts'
import { Random } from '../../bench/workload/random.ts'

const close = (found: number, expected: number) =>
  assert.ok(Math.abs(found - expected) < 1e-9, `${found}, not ${expected}`)

describe('ratio with its confidence interval', () => {
  it('is that of the textbook for five values a side', () => {
    // Quotients of powers of two are powers of two, so that the cut can be counted by hand: two of 25 at each end.
    const a = [1, 2, 4, 8, 16]
    const b = a.map((x) => x * 1024)
    const { estimate, low, high, level } = ratioInterval(a, b)
    close(estimate, 1024)
    close(low, 1024 / 8)
    close(high, 1024 * 8)
    // P(U <= 2) = (1 + 1 + 2) / C(10, 5)
    close(level, 1 - (2 * 4) / 252)
  })

  it('says what it covers where there are too few values', () => {
    close(ratioInterval([1], [2]).level, 0)
    const three = ratioInterval([1, 2, 4], [8, 16, 32])
    close(three.level, 1 - 2 / 20)
    assert.deepEqual([three.low, three.high], [2, 32])
  })

  it('covers the truth as often as it says', () => {
    const random = new Random(11)
    const skewed = (factor: number) => Array.from({ length: 7 }, () => factor * (1 + random.unit() ** 4))
    let covered = 0
    for (let i = 0; i < 2000; i++) {
      const { low, high } = ratioInterval(skewed(1), skewed(1.3))
      if (low <= 1.3 && 1.3 <= high) covered++
    }
    assert.ok(covered >= 1890, `${covered} of 2000`)
  })

  it('refuses what has no ratio', () => {
    assert.throws(() => ratioInterval([], [1]), RangeError)
    assert.throws(() => ratioInterval([1], [0]), RangeError)
    assert.throws(() => ratioInterval([1], [Number.NaN]), RangeError)
  })
})

describe('ratio of pairs with its confidence interval', () => {
  it('is that of the tables of the sign test', () => {
    // twelve pairs: the third from each end, 96.1 %
    const a = Array.from({ length: 12 }, (_, i) => 1 + i)
    const b = a.map((x, i) => x * 2 ** i)
    const { estimate, low, high, level } = pairedInterval(a, b)
    close(estimate, 2 ** 5.5)
    close(low, 2 ** 2)
    close(high, 2 ** 9)
    close(level, 1 - (2 * (1 + 12 + 66)) / 2 ** 12)
  })

  it('says what it covers where there are too few pairs', () => {
    close(pairedInterval([1], [2]).level, 0)
    close(pairedInterval([1, 1, 1], [2, 3, 4]).level, 1 - 2 / 8)
  })

  it('covers the truth as often as it says, however slow the machine is for some pairs', () => {
    const random = new Random(12)
    let covered = 0
    for (let i = 0; i < 2000; i++) {
      const slow = Array.from({ length: 11 }, () => 1 + 9 * random.unit())
      const run = (factor: number) => slow.map((times) => times * factor * (1 + random.unit() ** 4))
      const { low, high } = pairedInterval(run(1), run(1.02))
      if (low <= 1.02 && 1.02 <= high) covered++
    }
    assert.ok(covered >= 1880, `${covered} of 2000`)
  })

  it('refuses what is no pair', () => {
    assert.throws(() => pairedInterval([], []), RangeError)
    assert.throws(() => pairedInterval([1], [1, 2]), RangeError)
    assert.throws(() => pairedInterval([1], [0]), RangeError)
  })
})
