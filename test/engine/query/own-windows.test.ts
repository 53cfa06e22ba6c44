import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, stores, type Topology } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

const minute = 60_000
const text = { key: serdes.string(), value: serdes.number() }
const lows = stores.window('lows', { ...text, retention: '5m' })

/** Keeps the lowest value of each minute; a negative one deletes. */
function topology(): Topology {
  const builder = new StreamsBuilder()
  builder.stream('in', { ...text, nullKeys: 'drop' }).process(
    (ctx) => ({
      process(value, key, { timestamp }) {
        const store = ctx.store(lows)
        const start = timestamp - (timestamp % minute)
        const low = Math.min(value, store.get(key, start) ?? value)
        store.put(key, (low < 0 ? undefined : low) as number, start)
      },
    }),
    { stores: [lows] },
  )
  return builder.build()
}

const row = (key: string, start: number, value: number) => [{ key, window: { start, end: start } }, value]

describe('windows that a processor keeps', () => {
  for (const isolation of ['committed', 'latest'] as const) {
    it(`are found in the ${isolation} state: of a key, of all keys, both ways, page by page`, async () => {
      await using broker = embeddedBroker({ partitions: 2 })
      await using app = new StreamsApp({
        applicationId: 'lows',
        topology: topology(),
        broker,
        checkpointInterval: '5ms',
      })
      await app.start()
      const store = app.store(lows)
      const told: unknown[] = []
      using watching = store.subscribe('a').subscribe(({ key, value }) => void told.push([key, value]))
      await using producer = broker.producer('in', text)
      const values = ['a', 'b', 'c'].flatMap((key) =>
        [0, 1, 2, 3].map((i) => ({ key, value: i, timestamp: i * minute })),
      )
      for (const record of values) await producer.send(record)
      await producer.send({ key: 'c', value: -1, timestamp: 3 * minute })
      while ((await store.count()) !== 11 || told.length !== 4) await setImmediate()
      const options = { isolation }
      const rows = [0, 1, 2, 3].flatMap((i) =>
        ['a', 'b', 'c'].filter((key) => key !== 'c' || i < 3).map((key) => row(key, i * minute, i)),
      )
      assert.deepEqual(await store.all(options).toArray(), rows)
      assert.deepEqual(await store.fetchAll(1, 2 * minute, options).toArray(), rows.slice(3, 9))
      const own = [1, 2].map((i) => row('b', i * minute, i))
      assert.deepEqual(await store.fetch('b', minute, 2 * minute, options).toArray(), own)
      assert.deepEqual(
        await store.fetch('b', minute, 2 * minute, { ...options, reverse: true }).toArray(),
        own.toReversed(),
      )
      const page = store.all({ ...options, limit: 4, reverse: true })
      assert.deepEqual(await page.toArray(), rows.toReversed().slice(0, 4))
      const { cursor } = page
      assert.ok(cursor !== undefined)
      assert.deepEqual(await store.all({ ...options, cursor, reverse: true }).toArray(), rows.toReversed().slice(4))
      assert.deepEqual(
        told,
        [0, 1, 2, 3].map((i) => row('a', i * minute, i)),
      )
      watching.unsubscribe()
    })
  }

  it('go when they are older than the retention, and are not kept when they come so late', () => {
    using driver = new TopologyTestDriver(topology())
    const input = driver.input('in')
    const starts = () =>
      Array.from(driver.store(lows).fetchAll(0, Number.MAX_SAFE_INTEGER), ([{ window }]) => window.start)
    for (const i of [0, 1, 4]) input.send(i, { key: 'a', timestamp: i * minute })
    driver.checkpoint()
    input.send(5, { key: 'a', timestamp: 5 * minute })
    assert.deepEqual(
      starts(),
      [0, 1, 4, 5].map((i) => i * minute),
    )
    input.send(6, { key: 'a', timestamp: 6 * minute })
    input.send(0, { key: 'a', timestamp: 0 })
    assert.deepEqual(
      starts(),
      [1, 4, 5, 6].map((i) => i * minute),
    )
    driver.checkpoint()
    driver.crash()
    assert.deepEqual(
      starts(),
      [1, 4, 5, 6].map((i) => i * minute),
    )
  })
})
