import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Random, weighted } from '../../../examples/lib/random.ts'

describe('examples/lib/random', () => {
  it('gives the same numbers for the same seed and stream', () => {
    const draw = (seed: number, stream?: number) => {
      const random = new Random(seed, stream)
      return Array.from({ length: 5 }, () => random.uint32())
    }
    assert.deepEqual(draw(7), draw(7))
    assert.notDeepEqual(draw(7), draw(8))
    assert.notDeepEqual(draw(7), draw(7, 1))
    assert.notDeepEqual(draw(7), draw(7 + 2 ** 32))
  })

  it('follows the published recurrence', () => {
    let a = 7
    let b = 0
    let c = 3
    let counter = 1
    const reference = () => {
      const result = (((a + b) >>> 0) + counter) >>> 0
      counter = (counter + 1) >>> 0
      a = (b ^ (b >>> 9)) >>> 0
      b = (c + ((c << 3) >>> 0)) >>> 0
      c = ((((c << 21) >>> 0) | (c >>> 11)) + result) >>> 0
      return result
    }
    for (let i = 0; i < 15; i++) reference()
    const random = new Random(7, 3)
    for (let i = 0; i < 1000; i++) assert.equal(random.uint32(), reference())
  })

  it('stays inside the range of integers and reaches both ends', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: -5, max: 5 }), fc.nat({ max: 3 }), (seed, from, size) => {
        const random = new Random(seed)
        const drawn = new Set(Array.from({ length: 200 }, () => random.int(from, from + size)))
        assert.deepEqual(
          [...drawn].sort((x, y) => x - y),
          Array.from({ length: size + 1 }, (_, i) => from + i),
        )
      }),
    )
  })

  it('draws from the exponential distribution', () => {
    const random = new Random(3)
    const drawn = Array.from({ length: 50_000 }, () => random.exponential())
    const share = (limit: number) => drawn.filter((x) => x > limit).length / drawn.length
    for (const limit of [0.1, 0.5, 1, 2, 3])
      assert.ok(Math.abs(share(limit) - Math.exp(-limit)) < 0.01, `above ${limit}`)
    assert.ok(Math.abs(drawn.reduce((sum, x) => sum + x, 0) / drawn.length - 1) < 0.02)
  })

  it('draws by weight', () => {
    const random = new Random(1)
    const choose = weighted([
      ['often', 3],
      ['never', 0],
      ['seldom', 1],
    ])
    const counts: Record<string, number> = {}
    for (let i = 0; i < 10_000; i++) {
      const item = choose(random)
      counts[item] = (counts[item] ?? 0) + 1
    }
    assert.equal(counts.never, undefined)
    assert.ok(Math.abs((counts.often as number) - 7500) < 200, `often ${counts.often}`)
  })
})
