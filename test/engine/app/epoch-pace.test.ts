import assert from 'node:assert/strict'
import fc from 'fast-check'
import { EpochPace } from '../../../src/engine/app/epoch-pace.ts'

describe('EpochPace', () => {
  it('keeps the interval that was asked for while nobody asks', () => {
    const pace = new EpochPace(100)
    for (let i = 0; i < 20; i++) assert.equal(pace.written(30, 100), 100)
  })

  it('makes epochs so short that a write holds the thread for 3 ms, while somebody asks', () => {
    const pace = new EpochPace(100)
    let interval = 100
    for (let i = 0; i < 40; i++) {
      pace.heed()
      // a tenth of the time goes into writing, whatever the interval
      interval = pace.written(interval / 10, interval)
    }
    assert.ok(Math.abs(interval - 30) < 0.5, `${interval}`)
    assert.equal(pace.written(3, 30), 100)
  })

  it('is never more than eight times as often, never longer, and never below 10 ms unless that was asked for', () => {
    const ms = fc.double({ min: 0, max: 60_000, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60_000 }), fc.array(fc.tuple(fc.boolean(), ms, ms)), (interval, writes) => {
        const pace = new EpochPace(interval)
        for (const [asked, hold, covered] of writes) {
          if (asked) pace.heed()
          const next = pace.written(hold, covered)
          assert.ok(next <= interval)
          assert.ok(next >= Math.min(interval, Math.max(10, interval / 8)))
        }
      }),
    )
  })
})
