import assert from 'node:assert/strict'
import { watermarkSpec } from '../../src/dsl/watermarks/index.ts'
import { watermarks } from '../../src/index.ts'
import { refusal } from './plan.ts'

describe('watermarks', () => {
  it('are monotonous, idle after half a minute, unless said otherwise', () => {
    const spec = { kind: 'monotonous', bound: 0, idleAfter: 30_000, followClock: false }
    assert.deepEqual(watermarkSpec(undefined), spec)
    assert.deepEqual(watermarkSpec(watermarks.monotonous()), spec)
  })

  it('bounded, none', () => {
    assert.equal(watermarkSpec(watermarks.boundedOutOfOrderness('5s')).bound, 5000)
    assert.equal(watermarkSpec(watermarks.none()).kind, 'none')
  })

  it('punctuated, also by a function of the factory', () => {
    const fn = () => null
    assert.equal(watermarkSpec(watermarks.punctuated(fn)).fn, fn)
    assert.equal(watermarkSpec((w: typeof watermarks) => w.punctuated(fn)).fn, fn)
  })

  it('idleness is a new strategy', () => {
    const base = watermarks.boundedOutOfOrderness(7)
    const idle = watermarkSpec(base.withIdleness('1m', { then: 'followClock' })) // oxlint-disable-line unicorn/no-thenable
    assert.deepEqual([idle.idleAfter, idle.followClock, idle.bound], [60_000, true, 7])
    assert.equal(watermarkSpec(base.withoutIdleness()).idleAfter, null)
    assert.equal(watermarkSpec(base).idleAfter, 30_000)
  })

  it('refuses what is no strategy', () => {
    assert.throws(() => watermarkSpec({}), refusal('DHAARA_OPTION', /expected a watermark strategy/))
    assert.throws(() => watermarks.boundedOutOfOrderness(-1), refusal('DHAARA_DURATION', /boundedOutOfOrderness/))
    assert.throws(() => watermarks.punctuated(5 as never), refusal('DHAARA_OPTION', /expected a function/))
  })
})
