import assert from 'node:assert/strict'
import { embeddedBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { compare } from '../../../examples/compare.ts'
import { moduleUrl, read, runToEnd, type Sent, send } from '../run.ts'

const cities = ['Mumbai', 'Delhi', 'Pune', 'Chennai']

const orders: readonly Sent[] = Array.from({ length: 2000 }, (_, i) => ({
  key: `customer-${i % 9}`,
  value: { city: cities[i % cities.length], amount: i % 15 },
  timestamp: 1_000_000 + i,
}))

describe('workers that fail', () => {
  it('take the epoch back where an adder has failed half-way, and skip what it refuses', async () => {
    const outputs = []
    for (const workers of [0, 2]) {
      const broker = embeddedBroker({ partitions: 2 })
      await send(broker, 'orders', orders)
      await runToEnd({ topology: moduleUrl('half-way'), workers, broker, errors: { user: 'skip' } })
      outputs.push(await read(broker, 'cities'))
      await broker[Symbol.asyncDispose]()
    }
    const [expected = [], actual = []] = outputs
    assert.equal(expected.length, orders.filter((_, i) => i % 15 !== 7).length)
    compare('cities', 'last', expected, actual)
    assert.equal(actual.length, expected.length)
  }).timeout(60_000)

  it('try an epoch again as long as the policy wants it', async () => {
    const broker = embeddedBroker({ partitions: 2 })
    await send(broker, 'orders', [
      { key: 'a', value: { city: 'Pune', amount: 1 }, timestamp: 1 },
      { key: 'a', value: { city: 'Pune', amount: 13 }, timestamp: 2 },
      { key: 'a', value: { city: 'Pune', amount: 2 }, timestamp: 3 },
    ])
    let asked = 0
    const summary = await runToEnd({
      topology: moduleUrl('picky'),
      workers: 2,
      broker,
      errors: { user: () => (++asked < 3 ? 'retry' : 'skip') },
    })
    assert.equal(asked, 3)
    assert.equal(summary.recordsIn, 3)
    assert.deepEqual(
      (await read(broker, 'amounts')).map(({ value }) => value),
      [1, 2],
    )
    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)

  it('stop the app when they die again and again without getting further', async () => {
    const broker = embeddedBroker()
    const app = new StreamsApp({ applicationId: 'test', topology: moduleUrl('dying'), workers: 1, broker })
    const died = { code: 'DHAARA_WORKER_DIED' }
    // the first death may come before the app is up
    await assert.rejects(
      app.start().then(() => app.completed),
      died,
    )
    await assert.rejects(app.completed, died)
    assert.equal(app.state, 'failed')
    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)

  it('are ended when they do not close in time: the last checkpoint stands', async () => {
    const broker = embeddedBroker()
    const app = new StreamsApp({
      applicationId: 'test',
      topology: moduleUrl('stuck'),
      workers: 1,
      broker,
      checkpointInterval: '5ms',
    })
    const checkpointed = Promise.withResolvers<void>()
    app.on('checkpoint', () => checkpointed.resolve())
    await app.start()
    await using producer = broker.producer('orders', { key: serdes.string(), value: serdes.json() })
    await producer.send({ key: 'a', value: { city: 'Pune', amount: 1 }, timestamp: 1 })
    await checkpointed.promise
    await producer.send({ key: 'a', value: { city: 'Pune', amount: 13 }, timestamp: 2 })
    await app.close({ timeout: '100ms' })
    assert.equal(app.state, 'closed')
    assert.equal((await read(broker, 'copies')).length, 1)

    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)
})
