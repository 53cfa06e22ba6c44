import assert from 'node:assert/strict'
import fc from 'fast-check'
import { toMs } from '../../../src/dsl/time/index.ts'
import { type Duration, duration } from '../../../src/index.ts'
import { refusal } from '../plan.ts'

describe('duration', () => {
  it('reads every unit', () => {
    assert.deepEqual(['500ms', '5s', '10m', '2h', '7d'].map(duration), [500, 5000, 600_000, 7_200_000, 604_800_000])
  })

  it('reads fractions that are whole milliseconds', () => {
    assert.deepEqual(['1.5s', '2.3m', '0.1s'].map(duration), [1500, 138_000, 100])
  })

  it('refuses malformed text, and says what to write', () => {
    for (const text of ['', '5', '5x', '-5s', '1e3s', ' 5s', '5 s', 's', '1w', 'NaNms']) {
      assert.throws(
        () => duration(text),
        refusal('DHAARA_DURATION', /found ".*", expected a number with one of the units/),
      )
    }
  })

  it('refuses what is no text', () => {
    assert.throws(() => duration(undefined as never), refusal('DHAARA_DURATION', /found undefined, expected text/))
  })

  it('refuses numbers that are negative, not finite, no whole milliseconds', () => {
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, 0.5]) {
      assert.throws(
        () => toMs(ms, 'the gap'),
        refusal('DHAARA_DURATION', /^the gap: found .*; write whole milliseconds/),
      )
    }
    assert.throws(() => toMs('0.5ms'), refusal('DHAARA_DURATION', /expected whole milliseconds/))
    assert.throws(() => toMs(0, 'the size', 1), refusal('DHAARA_DURATION', /expected at least 1 ms/))
    assert.throws(() => toMs(undefined as never), refusal('DHAARA_DURATION', /found undefined/))
  })

  it('gives numbers back, and text times its unit', () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
    const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]))
    fc.assert(
      fc.property(fc.nat(1_000_000), unit, (n, u) => {
        assert.equal(toMs(n), n)
        assert.equal(toMs(`${n}${u}` as Duration), n * units[u])
      }),
    )
  })
})
