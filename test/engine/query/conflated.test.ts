import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, windows } from '../../../src/index.ts'

describe('a slow reader of sessions', () => {
  it('is not told of one that came and went meanwhile', async () => {
    const builder = new StreamsBuilder()
    builder
      .stream('clicks', { key: serdes.string(), value: serdes.number(), nullKeys: 'drop' })
      .groupByKey()
      .windowedBy(windows.session('1s').noGrace())
      .count({ store: 'visits' })
    await using broker = embeddedBroker({ partitions: 1 })
    await using app = new StreamsApp({
      applicationId: 'slow',
      topology: builder.build(),
      broker,
      checkpointInterval: '10ms',
    })
    await app.start()
    await using producer = broker.producer('clicks', { key: serdes.string(), value: serdes.number() })
    const store = app.store('visits')
    const click = async (key: string, timestamp: number): Promise<void> => {
      await producer.send({ key, value: 1, timestamp })
      for (;;) {
        const keys = (await store.all().toArray()).map(([windowed]) => (windowed as { key: string }).key)
        if (keys.join() === key) return
        await setImmediate()
      }
    }
    const visit = (key: string, start: number) => ({ key, window: { start, end: start } })
    await click('a', 0)
    const changes = store.subscribe()[Symbol.asyncIterator]()
    const told = async () => {
      const { key, value } = (await changes.next()).value
      return [key, value]
    }
    assert.deepEqual(await told(), [visit('a', 0), 1])
    await click('b', 10_000)
    await click('c', 20_000)
    assert.deepEqual(
      [await told(), await told()],
      [
        [visit('a', 0), null],
        [visit('c', 20_000), 1],
      ],
    )
    await changes.return?.()
  }).timeout(20_000)
})
