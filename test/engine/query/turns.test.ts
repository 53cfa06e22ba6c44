import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, windows } from '../../../src/index.ts'

const n = 4000

describe('a query that has much to read', () => {
  it('lets others have their turn, also between rows that it does not show', async () => {
    const builder = new StreamsBuilder()
    const ticks = builder.stream('ticks', { key: serdes.string(), value: serdes.number(), nullKeys: 'drop' })
    ticks
      .groupByKey()
      .windowedBy(windows.tumbling('1s').noGrace())
      .count({ store: { name: 'seconds', retention: '1d' } })
    ticks.groupBy((tick) => tick).count({ store: 'numbers' })
    await using broker = embeddedBroker({ partitions: 1 })
    await using app = new StreamsApp({
      applicationId: 'turns',
      topology: builder.build(),
      broker,
      checkpointInterval: '10ms',
    })
    await app.start()
    await using producer = broker.producer('ticks', { key: serdes.string(), value: serdes.number() })
    const sent = Array.from({ length: n }, (_, i) => producer.send({ key: 'other', value: i, timestamp: i * 1000 }))
    await Promise.all(sent)
    const [seconds, numbers] = [app.store('seconds'), app.store('numbers')]
    while ((await seconds.count()) < n || (await numbers.count()) < n) await setImmediate()

    /** How often others had their turn meanwhile. */
    const turns = async (rows: Promise<readonly unknown[]>): Promise<{ rows: number; turns: number }> => {
      let [over, turns] = [false, 0]
      const done = rows.finally(() => (over = true))
      while (!over) {
        await setImmediate()
        turns++
      }
      return { rows: (await done).length, turns }
    }
    // before and behind the key that the windows have
    for (const key of ['nobody', 'zero']) {
      for (const reverse of [false, true]) {
        const found = await turns(seconds.fetch(key, 0, Date.now(), { reverse }).toArray())
        assert.equal(found.rows, 0)
        assert.ok(found.turns >= 10, `${found.turns} turns of a query for ${key}`)
      }
    }
    const latest = await turns(numbers.all({ isolation: 'latest' }).toArray())
    assert.equal(latest.rows, n)
    assert.ok(latest.turns >= 4, `${latest.turns} turns of a scan of the latest state`)
  }).timeout(60_000)
})
