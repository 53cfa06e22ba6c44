import assert from 'node:assert/strict'
import fc from 'fast-check'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import {
  embeddedBroker,
  type OrderedSerde,
  type Serde,
  serdes,
  StreamsApp,
  StreamsBuilder,
  TopologyError,
} from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

const json = serdes.json<{ id: never; n: number }>()

/** Records find their table row by a key in their value, so that they are repartitioned. */
function lookups<K>(key: Serde<K> | undefined) {
  const builder = new StreamsBuilder()
  const rows = builder.table('rows', { key: key as Serde<K>, value: serdes.json<number>() })
  builder
    .stream('records', { value: serdes.msgpack<{ id: K; n: number }>() })
    .selectKey((record) => record.id as never)
    .join(rows as never, (record: { n: number }, row: number) => [record.n, row])
    .to('found', { key: key as never, value: serdes.json() })
  return builder.build()
}

const kinds: readonly (readonly [string, Serde<never>, fc.Arbitrary<unknown>])[] = [
  ['strings', serdes.string() as never, fc.string({ minLength: 1, unit: 'grapheme' })],
  ['numbers, also below zero', serdes.number() as never, fc.double({ noNaN: true })],
  ['bigints', serdes.bigint() as never, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ['JSON', serdes.json() as never, fc.array(fc.integer(), { minLength: 1 })],
  [
    'tuples',
    serdes.tuple(serdes.string(), serdes.number()) as OrderedSerde<never>,
    fc.tuple(fc.string(), fc.integer()),
  ],
]

describe('records that are repartitioned to meet a topic', () => {
  for (const [name, key, keys] of kinds) {
    it(`go where the topic's producers sent their keys: ${name}`, () => {
      const topology = lookups(key)
      fc.assert(
        fc.property(
          fc.uniqueArray(keys, {
            maxLength: 20,
            selector: (id) => Buffer.from(key.serialize(id as never, '')).toString('hex'),
          }),
          fc.integer({ min: 1, max: 7 }),
          (ids, partitions) => {
            using driver = new TopologyTestDriver(topology, { partitions })
            for (const [n, id] of ids.entries()) driver.input('rows').send(n, { key: id, timestamp: 0 })
            for (const [n, id] of ids.entries()) driver.input('records').send({ id, n }, { timestamp: 1 })
            const found = driver.output('found').readAll()
            assert.deepEqual(
              found.map(({ value }) => value),
              ids.map((_, n) => [n, n]),
            )
          },
        ),
        { numRuns: 30 },
      )
    })
  }

  it('cannot be joined where topics have different numbers of partitions', async () => {
    const broker = embeddedBroker()
    const builder = new StreamsBuilder()
    const rows = builder.table('rows', { key: serdes.string(), value: json })
    builder
      .stream('records', { key: serdes.string(), value: json })
      .join(rows, (record) => record)
      .to('found', { key: serdes.string(), value: serdes.json() })
    const topology = builder.build()
    const lease = await openEmbedded(broker)
    lease.log.createTopic('rows', 3)
    lease.log.createTopic('records', 4)
    const app = new StreamsApp({ applicationId: 'unequal', topology, broker })
    await assert.rejects(app.start(), (error: TopologyError) => {
      assert.ok(error instanceof TopologyError)
      assert.equal(error.problems[0]?.code, 'DHAARA_COPARTITION')
      assert.match(error.message, /'records' has 4/)
      assert.match(error.message, /'rows' has 3/)
      assert.match(error.message, /repartition\(\{partitions: n\}\)/)
      return true
    })
    await lease.release()
    await broker[Symbol.asyncDispose]()
  })
})
