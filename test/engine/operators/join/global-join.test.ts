import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { type KStream, serdes, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

const text = serdes.string()
const serde = { key: text, value: text }
const runs = Number(process.env['RUNS'] ?? 60)

interface Sent {
  readonly topic: 'orders' | 'shops'
  readonly key: string | null
  readonly value: string | null
}

/** An order's value is its shop; '-' names none. */
function topologyOf(how: 'join' | 'leftJoin', rekeyed: boolean): Topology {
  const builder = new StreamsBuilder()
  const shops = builder.globalTable('shops', { ...serde, store: 'shops' })
  const source = builder.stream('orders', serde)
  type Key = string | null
  const orders: KStream<Key, string> = rekeyed
    ? source.map((value, key) => [`${key}` as Key, value] as const).repartition()
    : source
  const joined = orders[how as 'leftJoin'](
    shops,
    (shop) => (shop === '-' ? null : shop),
    (shop, city, key) => `${key} ${shop}: ${city}`,
  )
  joined.to('out', serde)
  joined.groupByKey().count().toStream().to('counts', { key: text, value: serdes.number() })
  return builder.build()
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        topic: fc.constant('orders' as const),
        key: fc.option(fc.constantFrom('k1', 'k2', 'k3'), { freq: 9 }),
        value: fc.constantFrom('s1', 's2', 's3', 's4', '-'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        topic: fc.constant('shops' as const),
        key: fc.constantFrom('s1', 's2', 's3', 's4'),
        value: fc.option(fc.constantFrom('Pune', 'Surat', 'Kochi'), { freq: 4 }),
      }),
    },
    fc.constantFrom('checkpoint' as const, 'crash' as const, 'restore' as const),
  ),
  { maxLength: 60, size: 'max' },
)

describe('stream-global table joins', () => {
  it('find every row in every task, whatever partition it came in, through crashes and restores', () => {
    const how = fc.constantFrom('join' as const, 'leftJoin' as const)
    fc.assert(
      fc.property(how, fc.boolean(), steps, fc.integer({ min: 1, max: 4 }), (how, rekeyed, all, partitions) => {
        const topology = topologyOf(how, rekeyed)
        let driver = new TopologyTestDriver(topology, { partitions })
        const shops = new Map<string, string>()
        const found: unknown[] = []
        const expected: unknown[] = []
        const send = ({ topic, key, value }: Sent) => driver.input(topic).send(value, { key })
        const take = () =>
          found.push(
            ...driver
              .output('out')
              .readAll()
              .map(({ value }) => value),
          )
        let since: Sent[] = []
        for (const step of [...all, 'checkpoint' as const]) {
          if (typeof step !== 'string') {
            send(step)
            since.push(step)
            const { topic, key, value } = step
            if (topic === 'orders') {
              const city = value === '-' ? null : (shops.get(value as string) ?? null)
              if (how === 'leftJoin' || city !== null) expected.push(`${key} ${value}: ${city}`)
            } else if (value === null) shops.delete(key as string)
            else shops.set(key as string, value)
            continue
          }
          if (step === 'crash') {
            driver.crash()
            since.forEach(send)
            continue
          }
          take()
          since = []
          const restore = driver.checkpoint()
          if (step === 'restore') driver = new TopologyTestDriver(topology, { partitions, restore })
        }
        assert.deepEqual(found, expected)
        assert.deepEqual([...driver.store('shops').all()], [...shops].sort())
      }),
      { numRuns: runs },
    )
  })

  it('give the lookup the record', () => {
    const builder = new StreamsBuilder()
    const shops = builder.globalTable('shops', serde)
    builder
      .stream('orders', serde)
      .join(
        shops,
        (_shop, _key, record) => `${record.timestamp}`,
        (_, city) => city,
      )
      .to('out', serde)
    using driver = new TopologyTestDriver(builder.build(), { partitions: 2 })
    driver.input('shops').send('Pune', { key: '7' })
    driver.input('orders').sendAll([6, 7, 8].map((timestamp) => ({ key: 'k', value: 'x', timestamp })))
    assert.deepEqual(
      driver
        .output('out')
        .readAll()
        .map(({ value, timestamp }) => [value, timestamp]),
      [['Pune', 7]],
    )
  })
})
