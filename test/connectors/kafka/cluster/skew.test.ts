import assert from 'node:assert/strict'
import { partitionOf } from '../../../../src/connectors/broker/partitioner.ts'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { readAll } from './read.ts'

/** More than wait for a task where it knows what comes next. */
const records = 20_000

interface Order {
  readonly n: number
  readonly text: string
}

/** One partition holds what happened long before what the other one holds, and both are read at the same pace. */
describe('partitions that are far apart in time', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('skew')
    const topics = { day: 2, night: 2, out: 1 }
    await log.createTopics(
      Object.entries(topics).map(([name, partitions]) => ({ name: `${app}.${name}`, partitions, configs: {} })),
    )
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
  })

  const own = { key: serdes.string(), value: serdes.json<Order>() }

  function topology(): Topology {
    const builder = new StreamsBuilder()
    const of = (topic: string) =>
      builder
        .stream(`${app}.${topic}`, own)
        .selectKey(() => 'all')
        .repartition({ name: topic, partitions: 1 })
    of('day')
      .merge(of('night'))
      .groupByKey()
      .aggregate(
        () => ({ count: 0, last: -1, before: 0 }),
        ({ count, last, before }, { n }) => ({ count: count + 1, last: n, before: before + (n < last ? 1 : 0) }),
        { store: 'order' },
      )
      .toStream()
      .to(`${app}.out`, { key: serdes.string(), value: serdes.json() })
    return builder.build()
  }

  it('are processed in the order of time, and nobody waits for what is not read', async () => {
    const keys = [0, 1].map((partition) =>
      Array.from({ length: 20 }, (_, i) => `k${i}`).find((key) => partitionOf(Buffer.from(key), 2) === partition),
    ) as [string, string]
    await using producer = broker.producer<string, Order>(`${app}.day`, own)
    for (let n = 0; n < records; n++)
      for (const [partition, key] of keys.entries()) {
        const at = partition * records + n
        void producer.send({ key, value: { n: at, text: 'x'.repeat(250) }, timestamp: 1000 + at })
      }
    await producer.flush()
    await using running = new StreamsApp({
      applicationId: app,
      broker,
      topology: topology(),
      checkpointInterval: 50,
      maxTaskIdle: '1h',
    })
    await running.start()
    running.endInputs()
    await running.completed
    const last = (await readAll(log, `${app}.out`, 0)).at(-1) as string
    assert.deepEqual(JSON.parse(last), { count: 2 * records, last: 2 * records - 1, before: 0 })
  }).timeout(50_000)
})
