import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import {
  CachePool,
  JoinTable,
  KeyValueTable,
  msgpackValues,
  statePrefix,
  type Sealer,
  typedKeys,
  WindowTable,
} from '../../../src/state/stores/index.ts'

type Put = readonly [time: number, key: unknown]

const space = () => ({
  reader: new MemoryBackend(),
  prefix: statePrefix(1, 0),
  keys: typedKeys,
  values: msgpackValues,
  cache: new CachePool(Number.POSITIVE_INFINITY).share(),
})

const stores: Record<string, (puts: readonly Put[], sealer: Sealer) => void> = {
  'key-value'(puts, sealer) {
    const table = new KeyValueTable(space(), 1)
    for (const [time, key] of puts) table.put(key, { time }, time)
    table.seal(sealer)
  },
  window(puts, sealer) {
    const table = new WindowTable(space(), 1)
    for (const [time, key] of puts) {
      const bucket = table.bucket(Math.floor(time / 100) * 100)
      table.set(bucket, bucket.load(key), { time }, time)
    }
    table.seal(sealer)
  },
  join(puts, sealer) {
    const table = new JoinTable(space(), 1, 100)
    for (const [time, key] of puts) table.add(table.startOf(time), key, typedKeys.id(key), time, { time }, false)
    table.seal(sealer)
  },
}

const keys: Record<string, fc.Arbitrary<unknown>> = {
  'small whole numbers': fc.nat(500),
  'all numbers': fc.oneof(fc.nat(), fc.integer(), fc.double({ noNaN: true })),
  'tuples that begin with small whole numbers': fc.tuple(fc.nat(20), fc.oneof(fc.integer(), fc.string())),
  'tuples of all kinds': fc.array(fc.oneof(fc.nat(3), fc.integer(), fc.string()), { maxLength: 3 }),
  texts: fc.string({ unit: 'binary' }),
  'keys of all kinds': fc.oneof(
    fc.boolean(),
    fc.integer(),
    fc.string(),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    fc.tuple(fc.string(), fc.integer()),
  ),
}

describe('an epoch is written in the order of its keys’ bytes', () => {
  for (const [store, fill] of Object.entries(stores))
    for (const [kind, key] of Object.entries(keys))
      it(`${store}, ${kind}`, () => {
        const puts = fc.array(fc.tuple(fc.nat(1000), key), { minLength: 1, maxLength: 300, size: 'max' })
        fc.assert(
          fc.property(puts, (given) => {
            const written: Buffer[] = []
            fill(given, {
              put: (row) => void written.push(Buffer.from(row)),
              delete: (row) => void written.push(Buffer.from(row)),
              clearLater: () => {},
            })
            assert.ok(written.length > 0)
            for (let i = 1; i < written.length; i++)
              assert.ok(Buffer.compare(written[i - 1] as Buffer, written[i] as Buffer) < 0, `row ${i} of ${kind}`)
          }),
          { numRuns: 30 },
        )
      })
})
