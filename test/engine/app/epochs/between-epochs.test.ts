import assert from 'node:assert/strict'
import { type DhaaraError, embeddedBroker, StreamsApp } from '../../../../src/index.ts'
import { moduleUrl, read, send } from '../run.ts'

for (const workers of [0, 2])
  describe(`between two epochs, on ${workers} workers`, () => {
    it('records go through repartitions at once, however long the interval is; outputs show none of it', async () => {
      const broker = embeddedBroker({ partitions: 2 })
      const arrived = Promise.withResolvers<DhaaraError>()
      const app = new StreamsApp({
        applicationId: 'test',
        topology: moduleUrl('picky'),
        workers,
        broker,
        checkpointInterval: '1h',
        errors: {
          user: (error) => {
            arrived.resolve(error)
            return 'skip'
          },
        },
      })
      let checkpoints = 0
      app.on('checkpoint', () => checkpoints++)
      await app.start()
      await send(broker, 'orders', [
        { key: 'a', value: { city: 'Pune', amount: 1 }, timestamp: 1 },
        { key: 'a', value: { city: 'Pune', amount: 13 }, timestamp: 2 },
      ])
      assert.match((await arrived.promise).message, /orders\[\d\] offset 1, by way of .*thirteen/)
      assert.equal(checkpoints, 0)
      assert.deepEqual(await read(broker, 'amounts'), [])
      await app.close()
      assert.deepEqual(
        (await read(broker, 'amounts')).map(({ value }) => value),
        [1],
      )
      await broker[Symbol.asyncDispose]()
    }).timeout(60_000)
  })
