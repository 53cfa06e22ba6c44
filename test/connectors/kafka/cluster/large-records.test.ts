import assert from 'node:assert/strict'
import { type NewTopic, type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { settingsOf } from '../../../../src/engine/app/settings/options.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { prepareTopics } from '../../../../src/engine/remote/topics/topics.ts'
import { DhaaraError } from '../../../../src/errors/index.ts'
import { joinWindows, kafkaBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { readAll } from './read.ts'

interface Parcel {
  readonly n: number
  readonly text: string
  /** Numbers that are a few letters as JSON. */
  readonly weights: readonly number[]
}

/** A topic takes 1,048,588 bytes by default, heads and all. */
const mostBytes = 1_048_400

/** Whatever an input took goes on its way: to other tasks, into their state, to where it is looked at later. */
describe('records as large as a topic takes', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('large')
    await log.createTopics(['in', 'out'].map((name) => ({ name: `${app}.${name}`, partitions: 1, configs: {} })))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
  })

  const own = { key: serdes.string(), value: serdes.json<Parcel>() }

  async function send(...sizes: readonly number[]): Promise<void> {
    await using producer = broker.producer<string, Parcel>(`${app}.in`, own)
    for (const [n, size] of sizes.entries())
      await producer.send({ key: `k${n}`, value: parcel(n, size), timestamp: 1000 + n })
  }
  /** Of so many bytes as JSON. */
  function parcel(n: number, size: number, weights: readonly number[] = []): Parcel {
    const bare = JSON.stringify({ n, text: '', weights }).length
    return { n, text: 'x'.repeat(Math.max(0, size - bare)), weights }
  }

  async function run(topology: Topology, options: object = {}): Promise<string[]> {
    await using running = new StreamsApp({ applicationId: app, broker, topology, checkpointInterval: 50, ...options })
    await running.start()
    running.endInputs()
    await running.completed
    return readAll(log, `${app}.out`, 0)
  }

  const small = Array.from({ length: 60 }, () => 4000)
  const sizes = [...small, mostBytes - 100, mostBytes - 100, ...small, mostBytes - 100, 700_000, 700_000, 700_000]

  it('go through a repartition, whatever goes before them, into a store', async () => {
    await send(...sizes)
    const builder = new StreamsBuilder()
    builder
      .stream(`${app}.in`, own)
      .groupBy(({ n }) => `${n % 5}`)
      .aggregate<Parcel | null>(
        () => null,
        (_, parcel) => parcel,
        { store: 'latest' },
      )
      .toStream()
      .mapValues((parcel) => [parcel?.n, parcel?.text.length])
      .to(`${app}.out`, { key: serdes.string(), value: serdes.json() })
    const found = (await run(builder.build())).map((row) => JSON.parse(row))
    const sent = sizes.map((size, n) => [n, parcel(n, size).text.length])
    assert.deepEqual(found, sent)
  }).timeout(60_000)

  it('are more bytes on their way than they were, and go through', async () => {
    const weights = Array.from({ length: 200_000 }, (_, i) => ((i % 9) + 1) / 10)
    await using producer = broker.producer<string, Parcel>(`${app}.in`, own)
    await producer.send({ key: 'k', value: { n: 1, text: '', weights }, timestamp: 1000 })
    await producer.flush()
    const builder = new StreamsBuilder()
    const keyed = builder.stream(`${app}.in`, own).selectKey(({ n }) => `${n}`)
    keyed
      .join(
        keyed.mapValues(({ weights: all }) => all),
        (parcel, all) => [parcel.n, all.length],
        joinWindows.of(10).noGrace(),
      )
      .to(`${app}.out`, { key: serdes.string(), value: serdes.json() })
    assert.deepEqual(await run(builder.build()), ['[1,200000]'])
  }).timeout(60_000)

  it('have long headers, many together', async () => {
    await using producer = broker.producer<string, Parcel>(`${app}.in`, own)
    const trace = Buffer.alloc(20_000, 7)
    for (let n = 0; n < 300; n++)
      void producer.send({ key: `k${n}`, value: parcel(n, 50), timestamp: 1000 + n, headers: { trace } })
    await producer.flush()
    const builder = new StreamsBuilder()
    builder
      .stream(`${app}.in`, own)
      .selectKey(({ n }) => `${n % 5}`)
      .repartition({ name: 'traced' })
      .mapValues(({ n }) => n)
      .to(`${app}.out`, { key: serdes.string(), value: serdes.json() })
    const found = await run(builder.build())
    assert.deepEqual(
      found.map(Number),
      Array.from({ length: 300 }, (_, n) => n),
    )
  }).timeout(60_000)

  it('are looked at later, where they are no parcels', async () => {
    await send(mostBytes - 100)
    const builder = new StreamsBuilder()
    builder
      .stream(`${app}.in`, own)
      .mapValues((parcel) => {
        if (parcel.n === 0) throw new Error('no parcel'.repeat(20))
        return parcel
      })
      .to(`${app}.out`, own)
    const policies = { errors: { user: 'deadLetter' } }
    assert.deepEqual(await run(builder.build(), policies), [])
    const [dead] = (await log.topics())
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`${app}-`) && /dead|dlq/.test(name))
    assert.equal((await readAll(log, dead as string, 0)).length, 1)
  }).timeout(60_000)

  it('are as large as the cluster allows by default, where its policy lets nobody ask for more', async () => {
    const builder = new StreamsBuilder()
    builder.stream(`${app}.in`, own).groupByKey().count({ store: 'counts' })
    const plan = compile(planOf(builder.build()))
    const warned: unknown[] = []
    const logger = {
      ...settingsOf({ applicationId: app }).logger,
      warn: (...what: unknown[]) => void warned.push(what),
    }
    // a policy is a class in the broker
    const strict: RemoteLog = Object.create(log, {
      createTopics: {
        value: async (topics: readonly NewTopic[]) => {
          if (topics.some(({ configs }) => 'max.message.bytes' in configs))
            throw new DhaaraError('DHAARA_KAFKA_REQUEST', 'policyViolation (44)')
          await log.createTopics(topics)
        },
      },
      topics: { value: () => log.topics() },
      describe: { value: (names: readonly string[]) => log.describe(names) },
      configs: { value: (topic: string, defaults?: boolean) => log.configs(topic, defaults) },
    })
    await prepareTopics(strict, plan, settingsOf({ applicationId: app }), logger)
    assert.equal((await log.configs(`${app}-counts-changelog`))['max.message.bytes'], undefined)
    assert.match(JSON.stringify(warned), /policyViolation/)
  })
})
