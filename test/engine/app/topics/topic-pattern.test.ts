import assert from 'node:assert/strict'
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import { embeddedBroker, StreamsApp } from '../../../../src/index.ts'
import { moduleUrl, read, runToEnd, send } from '../run.ts'
import { upTo } from '../../../up-to.ts'

type Broker = ReturnType<typeof embeddedBroker>

const topology = moduleUrl('by-pattern')

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({
    key: `k${(from + i) % 3}`,
    value: from + i,
    timestamp: 1000 + from + i,
  }))

/** The last row of each key: what it has seen, sorted. */
async function seen(broker: Broker): Promise<number[]> {
  const last = new Map((await read(broker, 'seen')).map(({ key, value }) => [key, value as number[]]))
  return [...last.values()].flat().toSorted((a, b) => a - b)
}

/** Until the app has committed that many rows. */
async function committed(app: StreamsApp, broker: Broker, rows: number): Promise<void> {
  let next = Promise.withResolvers<void>()
  app.on('checkpoint', () => next.resolve())
  while ((await read(broker, 'seen')).length < rows) {
    await next.promise
    next = Promise.withResolvers()
  }
}

for (const workers of [0, 2])
  describe(`a source by a pattern of topics, on ${workers} workers`, () => {
    const start = async (broker: Broker, more: object = {}) => {
      const app = new StreamsApp({
        applicationId: 'test',
        topology,
        workers,
        broker,
        checkpointInterval: '5ms',
        ...more,
      })
      await app.start()
      return app
    }

    it('reads a topic that comes while it runs, each record once, also after a restart', async () => {
      const broker = embeddedBroker({ partitions: 2 })
      await send(broker, 'orders-a', numbers(0, 30))
      const app = await start(broker)
      await committed(app, broker, 30)
      await send(broker, 'orders-b', numbers(30, 50))
      await send(broker, 'orders-a', numbers(50, 60))
      await committed(app, broker, 60)
      await send(broker, 'orders-c', numbers(60, 65))
      await committed(app, broker, 65)
      await app.close()
      await send(broker, 'orders-b', numbers(65, 70))
      const { recordsIn } = await runToEnd({ topology, workers, broker })
      assert.equal(recordsIn, 5)
      assert.deepEqual(await seen(broker), upTo(70))
      await broker[Symbol.asyncDispose]()
    }).timeout(60_000)

    it('reads what came to a new topic while it was down, from its beginning, whatever offsetReset says', async () => {
      const broker = embeddedBroker({ partitions: 2 })
      const settings = { reset: 'latest' }
      await send(broker, 'orders-a', numbers(100, 110))
      const app = await start(broker, { settings })
      await send(broker, 'orders-a', numbers(0, 10))
      await committed(app, broker, 10)
      await app.close()
      await send(broker, 'orders-b', numbers(10, 20))
      await runToEnd({ topology, workers, broker, settings })
      assert.deepEqual(await seen(broker), upTo(20))
      await broker[Symbol.asyncDispose]()
    }).timeout(60_000)

    it('leaves a topic alone whose partitions do not fit, says so, and goes on with the others', async () => {
      const broker = embeddedBroker({ partitions: 2 })
      await send(broker, 'orders-a', numbers(0, 10))
      const told: [object, string | undefined][] = []
      const logger = {
        debug() {},
        info() {},
        warn() {},
        error: (fields: object, message?: string) => void told.push([fields, message]),
      }
      const app = await start(broker, { logger })
      await committed(app, broker, 10)
      const lease = await openEmbedded(broker)
      lease.log.createTopic('orders-wide', 5)
      await lease.release()
      await send(broker, 'orders-wide', numbers(100, 110))
      await send(broker, 'orders-a', numbers(10, 20))
      await committed(app, broker, 20)
      await app.close()
      assert.deepEqual(await seen(broker), upTo(20))
      assert.deepEqual(told[0]?.[0], { topic: 'orders-wide' })
      assert.match(told[0]?.[1] ?? '', /does not read the new topic 'orders-wide': with its 5 partitions/)
      await assert.rejects(start(broker), { code: 'DHAARA_STATE_INCOMPATIBLE', message: /2 partitions.*has 5/ })
      await broker[Symbol.asyncDispose]()
    }).timeout(60_000)

    it('ends where no topic is there', async () => {
      const broker = embeddedBroker({ partitions: 2 })
      const { recordsIn } = await runToEnd({ topology, workers, broker })
      assert.equal(recordsIn, 0)
      await broker[Symbol.asyncDispose]()
    }).timeout(60_000)
  })
