import assert from 'node:assert/strict'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { read, send } from './run.ts'

const records = 4000
const nights = 10
const cities = ['Mumbai', 'Pune', 'Chennai']
const text = 'x'.repeat(150)

/** Orders of the day wait for those of the night, which come a few at a time. */
function topology(): Topology {
  const builder = new StreamsBuilder()
  const of = (topic: string) =>
    builder
      .stream(topic, { key: serdes.string(), value: serdes.json<{ n: number; text: string }>() })
      .selectKey(({ n }) => cities[n % cities.length] as string)
      .repartition({ name: `by-city-${topic}` })
  of('day')
    .merge(of('night'))
    .groupByKey()
    .aggregate(
      (): number[] => [],
      (all, { n }) => [...all.slice(-1), n],
      { store: 'cities' },
    )
    .toStream()
    .to('out', { key: serdes.string(), value: serdes.json() })
  return builder.build()
}

describe('an input that waits for another', () => {
  it('goes on where it was after each restart: each record once, in its order', async () => {
    const broker = embeddedBroker()
    const order = (n: number, timestamp: number) => ({ key: `${n}`, value: { n, text }, timestamp })
    await send(
      broker,
      'day',
      Array.from({ length: records }, (_, n) => order(n, 1000 + n)),
    )
    let processed = 0
    for (let night = 0; night <= nights; night++) {
      // as far as this, and no further
      const until = 1000 + Math.floor((night * records) / nights)
      await send(broker, 'night', [order(3 * (records + night), until)])
      const options = { applicationId: 'test', topology: topology(), broker, checkpointInterval: '2ms' } as const
      const app = new StreamsApp({ ...options, maxTaskIdle: '1h' })
      const bytes: number[] = []
      app.on('checkpoint', (event) => void bytes.push(event.bytes))
      await app.start()
      // all of the day has been read then, and waits
      while (night === 0 && (app.metrics()['recordsIn'] ?? 0) <= records) await new Promise(setImmediate)
      if (night === nights) {
        app.endInputs()
        await app.completed
        break
      }
      const wanted = until - 1000 - 1
      while (processed < wanted) {
        await new Promise(setImmediate)
        processed = (await read(broker, 'out')).length - night
      }
      await app.close()
      // what waits on is not written again
      if (night > 0) assert.ok(Math.max(...bytes) < 200_000, `${Math.max(...bytes)}`)
    }
    const found = await read(broker, 'out')
    assert.equal(found.length, records + nights + 1)
    for (const [at, city] of cities.entries()) {
      const own = found.filter(({ key }) => key === city).map(({ value }) => (value as number[]).at(-1) as number)
      const days = own.filter((n) => n < records)
      assert.deepEqual(
        days,
        Array.from({ length: records }, (_, n) => n).filter((n) => n % cities.length === at),
      )
    }
    await broker[Symbol.asyncDispose]()
  }).timeout(30_000)
})
