import assert from 'node:assert/strict'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../../src/index.ts'

describe('counters of an app', () => {
  it('keep what was counted when an epoch is taken back, and count once what is done again', async () => {
    const refused = new Set<number>([7, 13])
    const builder = new StreamsBuilder()
    builder
      .stream('numbers', { key: serdes.string(), value: serdes.json<number>(), nullKeys: 'drop' })
      .mapValues(
        (n) => {
          if (refused.delete(n)) throw new Error(`${n} is tried again`)
          return n
        },
        { name: 'picky' },
      )
      .to('tried', { key: serdes.string(), value: serdes.json<number>() })
    const broker = embeddedBroker({ partitions: 1 })
    await using app = new StreamsApp({
      applicationId: 'counting',
      topology: builder.build(),
      broker,
      checkpointInterval: '5ms',
      errors: { user: () => 'retry' },
    })
    await app.start()
    await using producer = broker.producer('numbers', { key: serdes.string(), value: serdes.json<number>() })
    const counts = () => app.metrics() as Readonly<Record<string, number>>
    for (let round = 0; round < 20; round++) {
      await producer.send({ key: null as unknown as string, value: round })
      await producer.send({ key: 'k', value: round })
      while ((counts()['recordsOut'] ?? 0) <= round) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(refused.size, 0)
    assert.equal(counts()['recordsIn'], 40)
    assert.equal(counts()['recordsOut'], 20)
    assert.equal(counts()['numbers.dropped.null-key'], 20)
  }).timeout(30_000)
})
