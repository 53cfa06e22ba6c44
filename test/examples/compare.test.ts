import assert from 'node:assert/strict'
import { compare, differences } from './compare.ts'

const a1 = { key: 'a', value: { n: 1, of: 2 } }
const a2 = { key: 'a', value: { n: 2, of: 2 } }
const b1 = { key: 'b', value: { n: 1 } }
const reordered = { key: 'a', value: { of: 2, n: 1 }, timestamp: 5 }

describe('examples: comparing rows', () => {
  it('last: the last value of each key counts, a deletion takes the row away', () => {
    assert.deepEqual(differences('last', [a2, b1], [a1, b1, a2]), [])
    assert.deepEqual(differences('last', [b1], [a1, b1, { key: 'a', value: null }]), [])
    assert.equal(differences('last', [a2], [a2, a1]).length, 1)
    assert.equal(differences('last', [a2], []).length, 1)
    assert.equal(differences('last', [], [a2]).length, 1)
  })

  it('multiset: all rows in any order, each as often', () => {
    assert.deepEqual(differences('multiset', [a1, b1, a1], [b1, reordered, a1]), [])
    assert.equal(differences('multiset', [a1, a1], [a1]).length, 1)
    assert.equal(differences('multiset', [a1], [a2]).length, 2)
  })

  it('closed: rows in any order, one for each window', () => {
    assert.deepEqual(differences('closed', [a1, b1], [b1, reordered]), [])
    assert.equal(differences('closed', [a1, a2], [a1, a2]).length, 1)
  })

  it('sequence: the rows of a key in their order, keys in any', () => {
    assert.deepEqual(differences('sequence', [a1, a2, b1], [b1, a1, a2]), [])
    assert.deepEqual(differences('sequence', [a1, a2], [a2, a1]), [
      '! "a" row 0: expected {"n":1,"of":2}, found {"n":2,"of":2}',
    ])
    assert.equal(differences('sequence', [a1, a2], [a1]).length, 1)
    assert.equal(differences('sequence', [a1], [a1, a2]).length, 1)
  })

  it('says what differs', () => {
    assert.throws(
      () => compare('t', 'last', [b1], []),
      /t \(last\): 1 differences\n- "b": expected \{"n":1\}, found nothing/,
    )
  })
})
