import assert from 'node:assert/strict'
import fc from 'fast-check'
import { serdes, StreamsBuilder, sum, windows } from '../../../src/index.ts'
import { compile } from '../../../src/engine/plan/compile.ts'
import { storeLayout } from '../../../src/engine/query/index.ts'
import type { KeyPlace } from '../../../src/engine/query/key-places.ts'
import { RepartitionWriter } from '../../../src/engine/runtime/channels/channel.ts'
import { partitionOf } from '../../../src/connectors/broker/partitioner.ts'
import { planOf } from '../../../src/dsl/topology/index.ts'

interface Order {
  readonly customer: string
  readonly city: string
  readonly rupees: number
}

const builder = new StreamsBuilder()
const orders = builder.stream('orders', { key: serdes.string(), value: serdes.json<Order>() })
const total = sum((order: Order) => order.rupees)
orders.groupByKey().aggregate(total, { store: 'by-topic' })
orders.groupBy((order) => order.city).aggregate(total, { store: 'by-city' })
orders.groupBy((order) => [order.city, order.rupees] as const).aggregate(total, { store: 'by-tuple' })
orders
  .groupBy((order) => order.city)
  .aggregate(total, { store: 'cities-again' })
  .groupBy((sum, city) => [city.slice(0, 1), sum])
  .reduce({ add: (a, b) => a + b, subtract: (a, b) => a - b }, { store: 'by-letter' })
orders
  .selectKey((order) => order.customer)
  .repartition({ name: 'mine', partitioner: (order: Order) => order.rupees % 2 })
  .groupByKey()
  .aggregate(total, { store: 'by-own-partitioner' })
orders.groupBy((order) => order.city, { key: serdes.json<string>() }).aggregate(total, { store: 'by-loose-key' })
orders
  .groupBy((order) => order.city)
  .windowedBy(windows.tumbling('1h').grace('5m'))
  .aggregate(total, { store: { name: 'hours', retention: '1d' } })
  .toStream()
  .toTable({ store: 'windowed-keys' })
const plan = compile(planOf(builder.build()))

function placeOf(store: string, key: unknown, partitions = 7): KeyPlace | undefined {
  const layout = storeLayout(plan, store)
  return layout.placeOf(layout.keys.encode(key), partitions)
}

/** What the writing end of the repartition that feeds a store does with a key. */
function sentTo(store: string, key: unknown, partitions: number): number {
  const { sub } = storeLayout(plan, store)
  const read = plan.steps.find((step) => step.sub === sub && step.op.kind === 'repartitionRead')
  assert.ok(read?.op.kind === 'repartitionRead')
  const outlets = Array.from({ length: partitions }, () => ({ push() {} }))
  const writer = new RepartitionWriter(read.op.repartition, outlets, { w: 0 }, {} as never, undefined)
  return outlets.indexOf(writer.pick(key, undefined) as never)
}

describe('the partition of a key that is asked for', () => {
  for (const [store, keys] of [
    ['by-city', fc.string({ unit: 'grapheme' })],
    ['by-letter', fc.string({ unit: 'grapheme' })],
    ['by-tuple', fc.tuple(fc.string(), fc.double({ noNaN: true }))],
  ] as const) {
    it(`is the one that a repartition sends it to: ${store}`, () => {
      fc.assert(
        fc.property(keys as fc.Arbitrary<unknown>, fc.integer({ min: 1, max: 40 }), (key, partitions) => {
          assert.deepEqual(placeOf(store, key, partitions), {
            partition: sentTo(store, key, partitions),
            // it may stand for text that UTF-8 does not have
            certain: !JSON.stringify(key).includes('\ufffd'),
          })
        }),
      )
    })
  }

  it("is likely the one of Kafka's partitioner where a topic's producers have chosen it", () => {
    assert.deepEqual(placeOf('by-topic', 'asha'), { partition: partitionOf(Buffer.from('asha'), 7), certain: false })
  })

  it('is not known where a partitioner of the user wants to see the value', () => {
    assert.equal(placeOf('by-own-partitioner', 'asha'), undefined)
  })

  it('is not certain of keys whose serde may have given them another form', () => {
    assert.equal(placeOf('by-loose-key', 'asha')?.certain, false)
  })

  it('is not certain of texts that UTF-8 may have changed', () => {
    assert.equal(placeOf('by-city', 'a\ufffd')?.certain, false)
  })

  it('is not certain of windowed keys, which lie where their keys do', () => {
    const key = { key: 'Pune', window: { start: 0, end: 3_600_000 } }
    assert.notEqual(placeOf('windowed-keys', key)?.certain, true)
  })
})
