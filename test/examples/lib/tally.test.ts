import assert from 'node:assert/strict'
import fc from 'fast-check'
import { byFrequency, countIn, include, mostFrequent, type Tally } from '../../../examples/lib/tally.ts'

const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd'))

describe('examples/lib/tally', () => {
  it('ranks by count, then by name', () => {
    assert.deepEqual(byFrequency({ c: 1, b: 2, a: 1, d: 2 }), ['b', 'd', 'a', 'c'])
    assert.equal(mostFrequent({}), null)
  })

  it('finds the most frequent without sorting', () => {
    fc.assert(
      fc.property(names, (drawn) => {
        const tally: Tally = {}
        for (const name of drawn) countIn(tally, name)
        assert.equal(mostFrequent(tally), byFrequency(tally)[0] ?? null)
      }),
    )
  })

  it('keeps a list sorted and distinct', () => {
    fc.assert(
      fc.property(names, (drawn) => {
        const list: string[] = []
        for (const name of drawn) include(list, name)
        assert.deepEqual(list, [...new Set(drawn)].sort())
      }),
    )
  })
})
