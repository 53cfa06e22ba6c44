import assert from 'node:assert/strict'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { embeddedBroker, type KStream, type Serde, serdes, StreamsApp, StreamsBuilder } from '../../../src/index.ts'

type Order = { readonly id: number; readonly city: string }
type Stream = KStream<string | null, Order>
type Made = KStream<string, Order> | Stream
type Case = {
  readonly name: string
  readonly build: (orders: Stream, builder: StreamsBuilder) => Made
  readonly value?: Serde<Order>
}

const key = serdes.string()
const json = (): Serde<Order> => serdes.json<Order>()
/** Nothing that writes JSON would leave it so. */
const written = ({ id, city }: Order): string => `{ "city":"${city}",\n "id": ${id}.0 }`
const fields: Serde<Order> = serdes.json({ fields: { id: 'number', city: 'string' } })

const asRead: readonly Case[] = [
  { name: 'nothing between', build: (orders) => orders },
  { name: 'filters', build: (orders) => orders.filter(({ id }) => id % 3 > 0).filterNot(({ id }) => id % 5 === 0) },
  { name: 'a new key', build: (orders) => orders.selectKey(({ city }) => city) },
  {
    name: 'a branch',
    build: (orders) =>
      orders
        .split()
        .branch('odd', ({ id }) => id % 2 === 1)
        .default('even').odd,
  },
  { name: 'two streams', build: (orders, builder) => orders.merge(builder.stream('more', { key, value: json() })) },
]
const asMade: readonly Case[] = [
  { name: 'mapValues', build: (orders) => orders.mapValues((order) => order) },
  { name: 'map', build: (orders) => orders.map((order, id) => [id, order]) },
  { name: 'flatMapValues', build: (orders) => orders.flatMapValues((order) => [order, order]) },
  { name: 'peek, whose function may write to a value', build: (orders) => orders.peek(() => {}) },
  { name: 'a repartition', build: (orders) => orders.repartition({ key, value: json() }) },
  { name: 'another serde at the sink', build: (orders) => orders, value: fields },
  {
    name: 'one made value among two streams',
    build: (orders) => orders.merge(orders.mapValues((order) => ({ ...order, city: 'x' }))),
  },
]

async function valuesOf(one: Case, orders: readonly Order[], source: Serde<Order> = json()): Promise<string[]> {
  const broker = embeddedBroker({ partitions: 1 })
  for (const topic of ['orders', 'more']) {
    await using producer = broker.producer(topic, { key, value: serdes.string() })
    for (const order of orders) void producer.send({ key: 'k', value: written(order), timestamp: order.id })
  }
  const builder = new StreamsBuilder()
  const made = one.build(builder.stream('orders', { key, value: source }), builder) as Stream
  made.to('out', { key, value: one.value ?? json() })
  const app = new StreamsApp({ applicationId: 'as-read', topology: builder.build(), broker })
  await app.start()
  app.endInputs()
  await app.completed
  const { log, release } = await openEmbedded(broker)
  const found: string[] = []
  for (let batch = log.fetch('out', 0, 0); batch !== undefined; batch = log.fetch('out', 0, batch.nextOffset))
    for (let i = 0; i < batch.count; i++)
      found.push(batch.data.toString('utf8', batch.valueStart[i], batch.valueEnd[i]))
  await release()
  return found
}

describe('values that nobody has changed', () => {
  const orders = Array.from({ length: 40 }, (_, id) => ({ id, city: ['Pune', 'मुंबई'][id % 2] as string }))

  for (const one of asRead)
    it(`go on in the bytes that were read, with ${one.name}`, async () => {
      const found = await valuesOf(one, orders)
      assert.ok(found.length > 0)
      for (const text of found) assert.equal(text, written(JSON.parse(text) as Order))
    })

  for (const one of asMade)
    it(`are written anew with ${one.name}`, async () => {
      const found = await valuesOf(one, orders)
      assert.ok(found.length >= orders.length)
      for (const text of found) assert.equal(text, JSON.stringify(JSON.parse(text)))
    })

  it('are written anew where a source takes some fields of them alone', async () => {
    const found = await valuesOf({ name: '', build: (all) => all, value: fields }, orders, fields)
    assert.deepEqual(
      found,
      orders.map((order) => JSON.stringify(order)),
    )
  })
})
