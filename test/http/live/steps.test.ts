import assert from 'node:assert/strict'
import type { Graph, Tick } from '../../../src/http/live/types.ts'
import { count, embeddedBroker, serdes, StreamsApp, StreamsBuilder, windows } from '../../../src/index.ts'

describe('steps of a running app', () => {
  it('tell what came in: of the late ones, those that were late', async () => {
    const text = { key: serdes.string(), value: serdes.string() }
    const builder = new StreamsBuilder()
    const counts = builder
      .stream('clicks', text)
      .groupByKey()
      .windowedBy(windows.tumbling('1s').grace('0s'))
      .lateTo((late) => late.to('too-late', text))
      .aggregate(count(), { store: { name: 'counts', retention: '1h' } })
    counts.toStream().to('counted', { key: serdes.windowed(serdes.string()), value: serdes.json<number>() })
    const broker = embeddedBroker({ partitions: 1 })
    const topology = builder.build()
    await using app = new StreamsApp({ applicationId: 'clicks', topology, broker, http: { port: 0 } })
    await app.start()
    await using producer = broker.producer('clicks', text)
    for (const timestamp of [1000, 1500, 5000, 9000, 1200, 1300, 1400])
      await producer.send({ key: 'k', value: 'click', timestamp })
    const get = async (path: string): Promise<unknown> => (await fetch(`${app.httpUrl}/${path}`)).json()
    let tick = (await get('api/now')) as Tick
    while (tick.recordsIn < 7) tick = (await get('api/now')) as Tick
    const { nodes } = (await get('api/graph')) as Graph
    const of = (kind: string, topic?: string) =>
      tick.steps[nodes.find((node) => node.kind === kind && (topic === undefined || node.topics.includes(topic)))!.id]
    assert.deepEqual(of('aggregate')?.dropped, { late: 3 })
    assert.equal(of('aggregate')?.in, 7)
    assert.equal(of('late')?.in, 3)
    assert.equal(of('late')?.out, 3)
    assert.equal(of('sink', 'too-late')?.in, 3)
    assert.equal(of('sink', 'counted')?.in, 4)
  }).timeout(30_000)
})
