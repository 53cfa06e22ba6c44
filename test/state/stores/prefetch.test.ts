import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { CachePool, KeyValueTable, msgpackValues, statePrefix, typedKeys } from '../../../src/state/stores/index.ts'

const prefix = statePrefix(1, 0)
const row = (value: number, ts: number) => msgpackValues.encode({ value }, ts)

function stored(keys: Iterable<number>): MemoryBackend {
  const backend = new MemoryBackend()
  const batch = backend.batch()
  for (const key of keys) batch.put(Buffer.concat([prefix, typedKeys.encode(key)]), row(key * 10, 1000 + key))
  batch.commit()
  return backend
}

/** A table on rows that are there already, with what it reads. */
function open(backend: MemoryBackend) {
  const asked: number[] = []
  const state = { broken: false }
  const reader = {
    range: backend.range.bind(backend),
    collect: backend.collect.bind(backend),
    get: (key: Uint8Array) => {
      asked.push(1)
      return backend.get(key)
    },
    getMany: (keys: readonly Uint8Array[]) => {
      asked.push(keys.length)
      if (state.broken) throw new Error('no answer')
      return backend.getMany(keys)
    },
  }
  const space = { reader, prefix, keys: typedKeys, values: msgpackValues, cache: new CachePool(1 << 20).share() }
  return { table: new KeyValueTable(space, 1), asked, state }
}

describe('rows that are read ahead', () => {
  const keys = fc.array(fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constantFrom(null, undefined)), { maxLength: 50 })

  it('are those of the keys that the cache lacks, each read once, with what is not there', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1 }),
        keys,
        keys,
        (there, first, then) => {
          const { table, asked } = open(stored(there))
          table.prefetch(first, 0, first.length)
          table.prefetch(then, 0, then.length)
          const wanted = new Set([...first, ...then].filter((key) => typeof key === 'number'))
          assert.equal(
            asked.reduce((sum, n) => sum + n, 0),
            wanted.size,
          )
          const reads = asked.length
          for (const key of wanted) {
            const { value, ts } = table.load(key)
            assert.deepEqual(value, there.includes(key) ? { value: key * 10 } : undefined)
            assert.equal(ts, there.includes(key) ? 1000 + key : Number.NEGATIVE_INFINITY)
          }
          assert.equal(asked.length, reads)
        },
      ),
    )
  })

  it('behind a key that is none are not taken for absent', () => {
    const { table } = open(stored([1, 2, 3]))
    assert.throws(() => table.prefetch([1, 2, Number.NaN, 3], 0, 4), { code: 'DHAARA_SERIALIZE' })
    for (const key of [1, 2, 3]) assert.deepEqual(table.load(key).value, { value: key * 10 })
  })

  it('that could not be read are not taken for absent', () => {
    const { table, state } = open(stored([1, 2, 3]))
    assert.deepEqual(table.load(1).value, { value: 10 })
    state.broken = true
    assert.throws(() => table.prefetch([1, 2, 3, 4], 0, 4), /no answer/)
    state.broken = false
    for (const key of [1, 2, 3]) assert.deepEqual(table.load(key).value, { value: key * 10 })
    assert.equal(table.load(4).value, undefined)
  })
})
