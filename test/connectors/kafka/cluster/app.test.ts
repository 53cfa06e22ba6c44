import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import {
  type AppOptions,
  kafkaBroker,
  serdes,
  StreamsApp,
  StreamsBuilder,
  type Topology,
} from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { readAll } from './read.ts'

interface Order {
  readonly n: number
  readonly city: string
}

const cities = ['Mumbai', 'Pune', 'Chennai', 'Kochi', 'Jaipur']
const orders = (from: number, to: number): Order[] =>
  Array.from({ length: to - from }, (_, i) => ({ n: from + i, city: cities[(from + i) % cities.length] as string }))

describe('an app on Kafka', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let input: string
  let output: string
  let stateDir: string

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('app')
    input = `${app}.orders`
    output = `${app}.out`
    stateDir = await mkdtemp(join(tmpdir(), 'dhaara-test-'))
    await log.createTopics([
      { name: input, partitions: 2, configs: {} },
      { name: output, partitions: 2, configs: {} },
    ])
  })

  afterEach(async () => {
    const own = (await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app))
    await log.deleteTopics(own)
    await log.release()
    await rm(stateDir, { recursive: true, force: true })
  })

  async function send(records: readonly Order[]): Promise<void> {
    await using producer = broker.producer<string, Order>(input, { key: serdes.string(), value: serdes.json<Order>() })
    for (const order of records) void producer.send({ key: String(order.n), value: order, timestamp: 1000 + order.n })
  }

  const outputs = async (): Promise<unknown[]> => {
    const texts = [...(await readAll(log, output, 0)), ...(await readAll(log, output, 1))]
    return texts.map((text) => JSON.parse(text))
  }

  const make = (topology: Topology, options: Partial<AppOptions> = {}): StreamsApp =>
    new StreamsApp({ applicationId: app, broker, topology, stateDir, ...options } as never)

  /** Runs until so many records are read and committed. */
  async function run(topology: Topology, records: number, options: Partial<AppOptions> = {}) {
    const running = make(topology, options)
    const done = new Promise<void>((resolve) => {
      running.on('checkpoint', () => {
        if (running.metrics()['recordsIn'] === records) resolve()
      })
    })
    await running.start()
    await Promise.race([done, running.completed])
    await running.close()
    return running.completed
  }

  function stateless(): Topology {
    const builder = new StreamsBuilder()
    builder
      .stream(input, { key: serdes.string(), value: serdes.json<Order>() })
      .filter((order) => order.n % 2 === 0)
      .mapValues((order) => order.n * 10)
      .to(output, { key: serdes.string(), value: serdes.json<number>() })
    return builder.build()
  }

  function counting(): Topology {
    const builder = new StreamsBuilder()
    builder
      .stream(input, { key: serdes.string(), value: serdes.json<Order>() })
      .groupBy((order) => order.city, { key: serdes.string() })
      .count({ name: 'cities' })
      .toStream()
      .mapValues((count, city) => ({ city, count }))
      .to(output, { key: serdes.string(), value: serdes.json<{ city: string; count: number }>() })
    return builder.build()
  }

  /** Last value by city. */
  const counts = async (): Promise<Record<string, number>> =>
    Object.fromEntries(((await outputs()) as { city: string; count: number }[]).map(({ city, count }) => [city, count]))

  it('reads, maps and writes each record once, over restarts', async () => {
    await send(orders(0, 1000))
    await run(stateless(), 1000)
    await send(orders(1000, 1500))
    const summary = await run(stateless(), 500)
    assert.equal(summary.recordsOut, 250)
    const expected = Array.from({ length: 750 }, (_, i) => i * 20)
    assert.deepEqual(
      (await outputs()).map(Number).sort((x, y) => x - y),
      expected,
    )
  })

  it('ends where its inputs end, through a repartition', async () => {
    await send(orders(0, 1000))
    const running = make(counting())
    await running.start()
    running.endInputs()
    assert.equal((await running.completed).recordsIn, 1000)
    assert.deepEqual(await counts(), Object.fromEntries(cities.map((city) => [city, 200])))
  })

  for (const lost of [false, true]) {
    it(`counts by another key, and goes on where it was${lost ? ', its local state lost' : ''}`, async () => {
      await send(orders(0, 1000))
      const first = make(counting())
      await first.start()
      await untilCounted(1000)
      await first.close()
      if (lost) await rm(stateDir, { recursive: true })
      await send(orders(1000, 2000))
      const second = make(counting())
      const restored: number[] = []
      second.on('restore', ({ done }) => restored.push(done))
      await second.start()
      await untilCounted(2000)
      await second.close()
      assert.deepEqual(await counts(), Object.fromEntries(cities.map((city) => [city, 400])))
      assert.equal(restored.length > 0, lost)
    })
  }

  it('works at least once too', async () => {
    await send(orders(0, 1000))
    const running = make(counting(), { guarantee: 'at-least-once' })
    await running.start()
    await untilCounted(1000)
    await running.close()
    assert.deepEqual(await counts(), Object.fromEntries(cities.map((city) => [city, 200])))
  })

  it('shares the work with a second instance, and takes it back', async () => {
    const start = async (dir: string | undefined) => {
      const options = {
        applicationId: app,
        broker,
        topology: counting(),
        ...(dir === undefined ? {} : { stateDir: dir }),
      }
      const instance = new StreamsApp(options as never)
      await instance.start()
      return instance
    }
    const one = await start(stateDir)
    await send(orders(0, 500))
    const two = await start(undefined)
    await send(orders(500, 1000))
    await untilCounted(1000)
    await one.close()
    await send(orders(1000, 1500))
    await untilCounted(1500)
    await two.close()
    assert.deepEqual(await counts(), Object.fromEntries(cities.map((city) => [city, 300])))
  })

  async function untilCounted(total: number): Promise<void> {
    const stop = new AbortController()
    const last = new Map<string, number>()
    const options = { key: serdes.string(), value: serdes.json<{ city: string; count: number }>(), signal: stop.signal }
    for await (const { value } of broker.consumer(output, options)) {
      if (value === null) continue
      last.set(value.city, value.count)
      const sum = [...last.values()].reduce((a, b) => a + b, 0)
      assert.ok(sum <= total, `${sum} of ${total}`)
      if (sum === total) stop.abort()
    }
  }

  it('joins with a global table, of which each thread reads all', async () => {
    const names = `${app}.names`
    await log.createTopics([{ name: names, partitions: 3, configs: { 'cleanup.policy': 'compact' } }])
    {
      await using producer = broker.producer<string, string>(names, { key: serdes.string(), value: serdes.string() })
      for (const city of cities) void producer.send({ key: city, value: city.toUpperCase(), timestamp: 1 })
    }
    await send(orders(0, 100))
    const builder = new StreamsBuilder()
    const table = builder.globalTable(names, { key: serdes.string(), value: serdes.string() })
    builder
      .stream(input, { key: serdes.string(), value: serdes.json<Order>() })
      .join(
        table,
        (order) => order.city,
        (order, name) => ({ n: order.n, name }),
      )
      .to(output, { key: serdes.string(), value: serdes.json<{ n: number; name: string }>() })
    const running = make(builder.build())
    await running.start()
    running.endInputs()
    await running.completed
    const found = (await outputs()) as { n: number; name: string }[]
    assert.deepEqual(
      found.sort((a, b) => a.n - b.n),
      orders(0, 100).map(({ n, city }) => ({ n, name: city.toUpperCase() })),
    )
  })

  it('reads topics that come to the pattern of a source', async () => {
    const builder = new StreamsBuilder()
    const pattern = new RegExp(`^${app}\\.(orders|more|most)$`)
    builder
      .stream(pattern, { key: serdes.string(), value: serdes.json<Order>() })
      .mapValues(({ n }) => n)
      .to(output, { key: serdes.string(), value: serdes.json<number>() })
    const running = make(builder.build())
    await running.start()
    await send(orders(0, 100))
    await log.createTopics([{ name: `${app}.more`, partitions: 2, configs: {} }])
    input = `${app}.more`
    await send(orders(100, 200))
    const stop = new AbortController()
    const found: number[] = []
    for await (const { value } of broker.consumer(output, { value: serdes.json<number>(), signal: stop.signal }))
      if (found.push(value as number) === 200) stop.abort()
    assert.deepEqual(
      found.sort((x, y) => x - y),
      Array.from({ length: 200 }, (_, n) => n),
    )
    // more partitions than tasks: of a new topic that is no reason to stop
    await log.createTopics([{ name: `${app}.most`, partitions: 3, configs: {} }])
    await running.close()
  })

  it('begins where its source says: at a time, at the end, and nowhere', async () => {
    await send(orders(0, 100))
    const from = (offsetReset: 'latest' | 'none' | { timestamp: number }): Topology => {
      const builder = new StreamsBuilder()
      builder
        .stream(input, { key: serdes.string(), value: serdes.json<Order>(), offsetReset })
        .mapValues(({ n }) => n)
        .to(output, { key: serdes.string(), value: serdes.json<number>() })
      return builder.build()
    }
    const runToEnd = async (topology: Topology, applicationId: string): Promise<unknown[]> => {
      const running = make(topology, { applicationId, stateDir: join(stateDir, applicationId) })
      await running.start()
      running.endInputs()
      await running.completed
      return ((await outputs()) as number[]).sort((x, y) => x - y)
    }
    await assert.rejects(
      runToEnd(from('none'), `${app}-none`),
      (error: Error & { code?: string }) => error.code === 'DHAARA_POSITION_NONE' && error.message.includes(input),
    )
    assert.deepEqual(await runToEnd(from('latest'), `${app}-latest`), [])
    const sixty = Array.from({ length: 60 }, (_, i) => 40 + i)
    assert.deepEqual(await runToEnd(from({ timestamp: 1040 }), `${app}-time`), sixty)
    // a position that there is counts
    assert.deepEqual(await runToEnd(from('none'), `${app}-time`), sixty)
  })

  it('names a topic that does not exist', async () => {
    await log.deleteTopics([output])
    await assert.rejects(run(stateless(), 0), (error: Error & { code?: string }) => {
      return error.code === 'DHAARA_TOPIC_UNKNOWN' && error.message.includes(output)
    })
  })
})
