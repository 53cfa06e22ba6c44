import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { type DhaaraError, embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../../src/index.ts'
import { VersionedModel } from '../operators/join/versioned-model.ts'

const serde = { key: serdes.string(), value: serdes.string() }
const history = 500

describe('queries of the past', () => {
  it('find what held when, as far back as the store remembers', async () => {
    const builder = new StreamsBuilder()
    const prices = builder.table('prices', { ...serde, store: { name: 'prices', kind: 'versioned', history } })
    const plain = builder.table('plain', serde)
    const broker = embeddedBroker({ partitions: 1 })
    await using app = new StreamsApp({
      applicationId: 'past',
      topology: builder.build(),
      broker,
      checkpointInterval: '5ms',
    })
    await app.start()
    await using producer = broker.producer('prices', serde)
    const model = new VersionedModel(history)
    const puts = Array.from({ length: 200 }, (_, i) => {
      const value = i % 7 === 0 ? null : `v${i}`
      return { key: `k${(i * i) % 5}`, value, timestamp: 1000 + i * 10 - (i % 3 === 0 ? (i * 37) % 300 : 0) }
    })
    for (const put of puts) {
      model.put(put.key, put.value, put.timestamp)
      void producer.send(put)
    }
    await producer.send({ key: 'last', value: 'x', timestamp: 2990 })
    for (const isolation of ['committed', 'latest'] as const) {
      const store = app.store(prices.store)
      while ((await store.get('last', { isolation })) === undefined) await setImmediate()
      for (const key of ['k0', 'k1', 'k2', 'k3', 'k4', 'k5']) {
        assert.equal(await store.get(key, { isolation }), model.get(key))
        for (let at = 2500; at < 3100; at += 7) {
          assert.equal(await store.asOf(key, at, { isolation }), model.asOf(key, at), `${key} at ${at}`)
        }
      }
      const refused = (error: DhaaraError) => error.code === 'DHAARA_QUERY' && /no versioned store/.test(error.message)
      await assert.rejects(app.store(plain.store).asOf('k0', 0, { isolation }), refused)
    }
  }).timeout(60_000)
})
