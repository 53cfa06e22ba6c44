import assert from 'node:assert/strict'
import { embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import { temporaryDirectories } from '../../connectors/embedded/backends.ts'
import makeTopology, { type Person } from './fixtures/people.ts'
import { positionsOf } from './positions.ts'

const module = new URL('./fixtures/people.ts', import.meta.url)
const settings = { index: 'city' }

describe('minPosition', () => {
  const directory = temporaryDirectories()

  for (const workers of [0, 3]) {
    it(`waits for what a record causes, behind two changes of key too, with ${workers} workers`, async () => {
      const broker = embeddedBroker({ dir: directory(), partitions: 4 })
      const program = workers === 0 ? { topology: makeTopology({ settings }) } : { topology: module, workers, settings }
      await using app = new StreamsApp({ applicationId: 'people', ...program, broker, checkpointInterval: '20ms' })
      await app.start()
      const producer = broker.producer('people', { key: serdes.string(), value: serdes.json<Person>() })
      let changes = 0
      for (let round = 1; round <= 15; round++) {
        const n = 1 + (round % 3) * 20
        await Promise.all(
          Array.from({ length: n }, (_, i) =>
            producer.send({ key: `r${round}-${i}`, value: { city: `c${i % 5}`, n: round } }),
          ),
        )
        changes += n
        const minPosition = await positionsOf(broker, 'people', 4)
        assert.deepEqual(await app.store('people').get(`r${round}-0`, { minPosition }), { city: 'c0', n: round })
        assert.equal(await app.store('cities').get(['c0', round], { minPosition }), Math.ceil(n / 5))
        assert.equal(await app.store('changes').get('all', { minPosition }), changes)
        const latest = await app.store('changes').get('all', { minPosition, isolation: 'latest' })
        assert.equal(latest, changes)
      }
      await producer.close()
    }).timeout(120_000)
  }

  it('ends with its signal, and names the inputs that there are', async () => {
    const broker = embeddedBroker({ dir: directory(), partitions: 2 })
    await using app = new StreamsApp({ applicationId: 'people', topology: makeTopology({ settings }), broker })
    await app.start()
    const store = app.store('people')
    await assert.rejects(store.get('x', { minPosition: { orders: { 0: 1 } } }), /'orders'.*people/)
    const asked = (positions: Record<string, number>) => store.get('x', { minPosition: { people: positions } })
    await assert.rejects(asked({ 2: 0 }), { code: 'DHAARA_QUERY', message: /partition 2 of 'people', which has 2/ })
    await assert.rejects(asked({ first: 0 }), { code: 'DHAARA_QUERY', message: /partition first of 'people'/ })
    for (const offset of [-1, 0.5, Number.NaN])
      await assert.rejects(asked({ 0: offset }), { code: 'DHAARA_QUERY', message: /expected a whole number from 0/ })
    const stop = new AbortController()
    const waiting = store.get('x', { minPosition: { people: { 0: 10 } }, signal: stop.signal })
    stop.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    const scan = store.all({ minPosition: { people: { 1: 0 } }, signal: AbortSignal.abort(new Error('at once')) })
    await assert.rejects(scan.toArray(), /at once/)
    const closing = store.count({ minPosition: { people: { 0: 10 } } })
    await Promise.all([assert.rejects(closing, /DHAARA_APP_STATE|closes/), app.close()])
  })
})
