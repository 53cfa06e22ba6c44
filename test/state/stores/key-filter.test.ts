import assert from 'node:assert/strict'
import fc from 'fast-check'
import { hashId } from '../../../src/state/codec/index.ts'
import { KeyFilter } from '../../../src/state/stores/key-filter.ts'

const ids = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.double({ noNaN: true }))

describe('KeyFilter', () => {
  it('knows every key it was given, however many there are', () => {
    fc.assert(
      fc.property(fc.array(ids), (added) => {
        const filter = new KeyFilter()
        for (const id of added) assert.equal(filter.add(hashId(id)), true)
        for (const id of added) assert.equal(filter.mayHave(hashId(id)), true, String(id))
      }),
    )
    const filter = new KeyFilter()
    for (let i = 0; i < 100_000; i++) filter.add(hashId(`key ${i}`))
    for (let i = 0; i < 100_000; i++) assert.ok(filter.mayHave(hashId(`key ${i}`)))
  })

  it('has nothing, and no memory, before the first key', () => {
    const filter = new KeyFilter()
    assert.equal(filter.mayHave(hashId('a')), false)
    assert.equal(filter.mayHave(hashId(0)), false)
    assert.equal(filter.bytes, 0)
  })

  const kinds: Record<string, (i: number) => string | number> = {
    texts: (i) => `2015-07-15 channel-${i % 977} ${i}`,
    'whole numbers': (i) => i,
    'large numbers': (i) => 1e12 + i * 1000,
    fractions: (i) => i / 8,
    'encoded keys': (i) => `\0\x10${String.fromCharCode(i & 255, (i >> 8) & 255, i >> 16)}`,
  }
  for (const [kind, id] of Object.entries(kinds)) {
    it(`is seldom wrong about keys that it was not given: ${kind}`, () => {
      const filter = new KeyFilter()
      const keys = 150_000
      for (let i = 0; i < keys; i++) filter.add(hashId(id(i)))
      let wrong = 0
      for (let i = keys; i < 2 * keys; i++) if (filter.mayHave(hashId(id(i)))) wrong++
      assert.ok(wrong < keys * 0.04, `${wrong} of ${keys}`)
      assert.ok(filter.bytes < keys * 8, `${filter.bytes} bytes`)
    })
  }
})
