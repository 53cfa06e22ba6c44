import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { settingsOf } from '../../../../src/engine/app/settings/options.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { savepointOfLog, savepointToLog } from '../../../../src/engine/remote/savepoint/index.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { readAll } from './read.ts'

const records = 20_000
const names = ['Mumbai', 'Pune', 'Chennai']

interface Row {
  readonly city: string
  readonly count: number
  readonly sum: number
}

interface Order {
  readonly n: number
  readonly city: string
  readonly text: string
}

/** Orders of the day wait for those of the night, which come late: more waits than a topic takes as one record. */
describe('megabytes in flight on Kafka', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let folder: string

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('heap')
    folder = mkdtempSync(join(tmpdir(), 'dhaara-heap-'))
    await log.createTopics(
      ['day', 'night', 'out', 'again.out'].map((name) => ({ name: `${app}.${name}`, partitions: 1, configs: {} })),
    )
    await send('night', 1, () => 0)
    await send('day', records, (n) => 1000 + n)
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    rmSync(folder, { recursive: true, force: true })
  })

  async function send(topic: string, count: number, timestamp: (n: number) => number): Promise<void> {
    const codecs = { key: serdes.string(), value: serdes.json<Order>() }
    await using producer = broker.producer<string, Order>(`${app}.${topic}`, codecs)
    for (let n = 0; n < count; n++)
      void producer.send({
        key: String(n),
        // compresses badly: a broker counts what comes over the wire
        value: { n, city: names[n % names.length] as string, text: randomBytes(300).toString('base64') },
        timestamp: timestamp(n),
      })
  }

  function topology(output: string): Topology {
    const builder = new StreamsBuilder()
    const of = (topic: string) =>
      builder
        .stream(`${app}.${topic}`, { key: serdes.string(), value: serdes.json<Order>() })
        .selectKey((order) => order.city)
        .repartition({ name: topic })
    of('day')
      .merge(of('night'))
      .groupByKey()
      .aggregate(
        () => ({ count: 0, sum: 0 }),
        (row, { n }) => ({ count: row.count + 1, sum: row.sum + n }),
        { store: 'cities' },
      )
      .toStream()
      .mapValues((row, city) => ({ city, ...row }))
      .to(output, { key: serdes.string(), value: serdes.json() })
    return builder.build()
  }

  function make(name = app, output = `${app}.out`, checkpointInterval = 50): StreamsApp {
    const options = { applicationId: name, broker, checkpointInterval, maxTaskIdle: '1h' } as const
    return new StreamsApp({ ...options, topology: topology(output) })
  }

  const tasksTopic = async (): Promise<string> =>
    (await log.topics()).map(({ name }) => name).find((name) => /-day-night-tasks-/.test(name)) as string

  const held = async (): Promise<string[]> => readAll(log, await tasksTopic(), 0)

  /** Reads all of it, and waits for nothing. Each city has all of its own then. */
  async function finish(name?: string, output = `${app}.out`): Promise<void> {
    const running = make(name, output)
    await running.start()
    running.endInputs()
    await running.completed
    const rows = (await readAll(log, output, 0)).map((row) => JSON.parse(row) as Row)
    const all = [0, ...Array.from({ length: records }, (_, n) => n)]
    for (const [at, city] of names.entries()) {
      const own = all.filter((n) => n % names.length === at)
      const total = { city, count: own.length, sum: own.reduce((sum, n) => sum + n, 0) }
      const last = rows.findLast((row) => row.city === city)
      assert.deepEqual(last, total)
    }
  }

  it('are committed, and come back after a restart', async () => {
    const first = make()
    await first.start()
    const size = async () => (await held()).reduce((sum, row) => sum + row.length, 0)
    for (let bytes = 0; bytes < 4_000_000; bytes = await size()) await Promise.race([delay(100), first.completed])
    await first.close()
    await finish()
  }).timeout(60_000)

  /** A savepoint of the app, which is stopped, into another one. */
  async function again(): Promise<void> {
    const settings = settingsOf({ applicationId: app })
    const of = { log, app, plan: compile(planOf(topology(`${app}.out`))), logger: settings.logger }
    await savepointOfLog(of, join(folder, 'a'), Date.now())
    const [name, output] = [`${app}-again`, `${app}.again.out`]
    const plan = compile(planOf(topology(output)))
    await savepointToLog({ log, settings: settingsOf({ applicationId: name }), plan }, join(folder, 'a'), 'keep')
    await finish(name, output)
  }

  async function readIn(running: StreamsApp): Promise<void> {
    while ((running.metrics()['recordsIn'] ?? 0) <= records) await Promise.race([delay(20), running.completed])
    await running.close()
  }

  it('go into a savepoint of an app that is stopped, and from there into another', async () => {
    const first = make()
    await first.start()
    await readIn(first)
    await again()
  }).timeout(60_000)

  it('are there, too, where the task that they were sent to has ended no epoch', async () => {
    // repartitions are purged later than that
    const first = make(app, `${app}.out`, 1000)
    await first.start()
    await readIn(first)
    const own = [await tasksTopic(), `${app}-cities-changelog`]
    await log.deleteTopics(own)
    await log.createTopics(own.map((name) => ({ name, partitions: 1, configs: { 'cleanup.policy': 'compact' } })))
    await again()
  }).timeout(60_000)
})
