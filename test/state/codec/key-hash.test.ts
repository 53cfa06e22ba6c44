import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DhaaraError } from '../../../src/index.ts'
import { encodeKey, hashId, hashKey, sameKey } from '../../../src/state/codec/index.ts'

const small = fc.constantFrom<unknown>(
  0,
  -0,
  1,
  1.5,
  2 ** 40,
  '',
  'a',
  '\0',
  'é',
  true,
  false,
  1n,
  new Date(1),
  Buffer.of(1),
)
const part = fc.oneof(small, fc.string(), fc.double({ noNaN: true }), fc.constant(null))
const key = fc.oneof(
  small,
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.array(part, { maxLength: 3 }),
  fc.array(fc.array(part, { maxLength: 2 }), { maxLength: 2 }),
  fc.dictionary(fc.constantFrom('a', 'b'), small),
)

describe('the hash of a key', () => {
  it('is the same for keys of the same bytes, and those are the same', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const equal = encodeKey(a).equals(encodeKey(b))
        assert.equal(sameKey(a, b), equal)
        if (equal) assert.equal(hashKey(a), hashKey(b))
        assert.ok(sameKey(a, structuredClone(a)))
        assert.equal(hashKey(a), hashKey(structuredClone(a)))
        assert.equal(hashKey(a) | 0, hashKey(a))
      }),
      { numRuns: 2000 },
    )
  })

  it('is that of their ids for texts and numbers', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true })), (id) => {
        assert.equal(hashKey(id), hashId(id))
      }),
    )
  })

  it('differs between most keys', () => {
    const kinds: ((i: number) => unknown)[] = [
      (i) => i,
      (i) => i / 8,
      (i) => `channel-${i % 977} ${i}`,
      (i) => [i % 300, Math.floor(i / 300)],
      (i) => [i, '2015-07-15'],
      (i) => [`${i}`, null],
    ]
    for (const of of kinds) {
      const hashes = new Set<number>()
      for (let i = 0; i < 50_000; i++) hashes.add(hashKey(of(i)))
      assert.ok(hashes.size > 49_900, `${hashes.size} of ${String(of)}`)
    }
  })

  it('is refused for what is no key', () => {
    for (const none of [undefined, null, NaN, [NaN], [undefined], new Map(), () => 1, new Date(NaN), [[NaN]]])
      assert.throws(
        () => hashKey(none),
        (error) => error instanceof DhaaraError && error.code === 'DHAARA_SERIALIZE',
      )
  })
})
