import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { Entry } from '../../../src/state/stores/entry.ts'

describe('an entry of the cache', () => {
  const times = fc.oneof(
    fc.integer({ min: 0, max: 253402300799999 }),
    fc.maxSafeNat(),
    fc.double({ noNaN: true }),
    fc.constantFrom(0, 2 ** 25 - 1, 2 ** 25, 2 ** 56, 2 ** 57, -1, Number.MAX_VALUE, Infinity, -Infinity),
  )

  it('gives back each time as it was put, whatever it had before', () => {
    fc.assert(
      fc.property(fc.array(times, { minLength: 1 }), ([first, ...others]) => {
        const entry = new Entry('k', 0, undefined, first as number, 0, false)
        assert.equal(entry.ts, (first as number) + 0)
        for (const ts of others) {
          entry.ts = ts
          assert.equal(entry.ts, ts + 0)
        }
      }),
    )
  })
})
