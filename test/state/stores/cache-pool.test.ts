import assert from 'node:assert/strict'
import { CachePool } from '../../../src/state/stores/index.ts'

describe('cache pool', () => {
  it('lets a store keep all as long as there is room', () => {
    const pool = new CachePool(1000)
    const [a, b] = [pool.share(), pool.share()]
    assert.equal(a.allowed(900), Number.POSITIVE_INFINITY)
    assert.equal(b.allowed(100), Number.POSITIVE_INFINITY)
  })

  it('takes back in proportion to what each holds, until all are within the limit', () => {
    const pool = new CachePool(1000)
    const held = [1500, 400, 100]
    const shares = held.map(() => pool.share())
    shares.forEach((share, i) => share.allowed(held[i]!))
    for (let round = 0; round < 40; round++) {
      shares.forEach((share, i) => {
        held[i] = Math.min(held[i]!, share.allowed(held[i]!))
        share.allowed(held[i]!)
      })
    }
    const total = held.reduce((sum, bytes) => sum + bytes)
    assert.ok(total <= 1001, `${total}`)
    assert.ok(held[0]! > held[1]! && held[1]! > held[2]! && held[2]! > 0, held.join())
  })

  it('gives what one lets go to the others', () => {
    const pool = new CachePool(1000)
    const [a, b] = [pool.share(), pool.share()]
    a.allowed(1000)
    assert.equal(b.allowed(1000), 500)
    a.allowed(0)
    assert.equal(b.allowed(1000), Number.POSITIVE_INFINITY)
  })

  it('asks for a checkpoint at half the limit, for a rest at the whole, and for neither once it is written', () => {
    const MB = 1 << 20
    const pool = new CachePool(100 * MB)
    const [a, b] = [pool.share(), pool.share()]
    a.tell(40 * MB, 30 * MB)
    b.tell(40 * MB, 20 * MB)
    assert.deepEqual([pool.pressed(), pool.full()], [false, false])
    b.tell(40 * MB, 21 * MB)
    assert.deepEqual([pool.pressed(), pool.full(), pool.full(50 * MB)], [true, false, true])
    a.tell(90 * MB, 80 * MB)
    assert.equal(pool.full(), true)
    a.tell(90 * MB, 0)
    b.tell(40 * MB, 0)
    assert.deepEqual([pool.pressed(), pool.full(), pool.crowded], [false, false, true])
  })

  it('is not trimmed again and again for what cannot go', () => {
    const MB = 1 << 20
    const pool = new CachePool(100 * MB)
    const share = pool.share()
    share.tell(120 * MB, 100 * MB)
    assert.equal(pool.crowded, true)
    share.allowed(118 * MB)
    pool.trimmed()
    share.tell(125 * MB, 100 * MB)
    assert.equal(pool.crowded, false)
    share.tell(140 * MB, 100 * MB)
    assert.equal(pool.crowded, true)
  })

  it('keeps nothing without memory', () => assert.equal(new CachePool(0).share().allowed(10), 0))
})
