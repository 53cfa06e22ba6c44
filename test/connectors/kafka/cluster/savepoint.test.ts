import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { openEmbedded, partitionOf } from '../../../../src/connectors/broker/index.ts'
import { restoreSavepoint } from '../../../../src/engine/app/state/savepoint.ts'
import { settingsOf } from '../../../../src/engine/app/settings/options.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { savepointOfLog, savepointToLog } from '../../../../src/engine/remote/savepoint/index.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { type Broker, embeddedBroker, kafkaBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { cities, type Order } from '../children/cities.ts'
import { kafka, unique } from '../broker.ts'

const names = ['Mumbai', 'Pune', 'Chennai', 'Kochi', 'Jaipur', 'Surat', 'Bhopal']
const orders = (from: number, to: number): Order[] =>
  Array.from({ length: to - from }, (_, i) => ({ n: from + i, city: names[(from + i) % names.length] as string }))

/** What each city has when all of these were counted once. */
function totals(all: readonly Order[]): Map<string, { count: number; sum: number }> {
  const found = new Map<string, { count: number; sum: number }>()
  for (const { n, city } of all) {
    const { count, sum } = found.get(city) ?? { count: 0, sum: 0 }
    found.set(city, { count: count + 1, sum: sum + n })
  }
  return new Map([...found].sort())
}

/** Of what was sent to a topic of plain records: what lies behind these offsets. */
function behind(positions: readonly number[], sent: readonly Order[]): Order[] {
  const counts = positions.map(() => 0)
  return sent.filter(({ n }) => {
    const partition = partitionOf(Buffer.from(String(n)), positions.length)
    const offset = counts[partition] as number
    counts[partition] = offset + 1
    return offset >= (positions[partition] as number)
  })
}

describe('savepoints between Kafka and the embedded log', () => {
  let log: RemoteLog
  let app: string
  let folder: string
  let input: string
  let output: string
  const kafkaOf = async () => kafkaBroker({ brokers: await kafka() })

  beforeEach(async () => {
    app = unique('save')
    input = `${app}.orders`
    output = `${app}.out`
    folder = mkdtempSync(join(tmpdir(), 'dhaara-savepoint-'))
    log = await (await kafkaOf())[remote]()
  })

  afterEach(async () => {
    const own = (await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app))
    await log.deleteTopics(own)
    await log.release()
    rmSync(folder, { recursive: true, force: true })
  })

  const topics = (partitions: number) =>
    log.createTopics([input, output].map((name) => ({ name, partitions, configs: {} })))

  async function send(broker: Broker, all: readonly Order[]): Promise<void> {
    await using producer = broker.producer<string, Order>(input, { key: serdes.string(), value: serdes.json<Order>() })
    for (const order of all) void producer.send({ key: String(order.n), value: order, timestamp: 1000 + order.n })
  }

  const start = async (broker: Broker): Promise<StreamsApp> => {
    const one = new StreamsApp({ applicationId: app, topology: cities(input, output), broker, checkpointInterval: 20 })
    await one.start()
    return one
  }

  /** Reads on to the end. @returns the last row of each city */
  async function finish(broker: Broker): Promise<Map<string, unknown>> {
    const one = await start(broker)
    one.endInputs()
    await one.completed
    const found = new Map<string, unknown>()
    const ended = new AbortController()
    const value = serdes.json<{ count: number; sum: number }>()
    const reading = broker.consumer<string, { count: number; sum: number }>(output, {
      key: serdes.string(),
      value,
      signal: ended.signal,
    })
    const counts = (): number =>
      [...found.values()].reduce((sum: number, row) => sum + (row as { count: number }).count, 0)
    const timer = setTimeout(() => ended.abort(), 30_000)
    for await (const record of reading) {
      found.set(record.key as string, record.value)
      if (found.size === names.length && counts() === 3000) break
    }
    clearTimeout(timer)
    return new Map([...found].sort())
  }

  const all = orders(0, 3000)

  it('take state from the embedded log to Kafka, and to other partitions', async () => {
    const first = embeddedBroker({ partitions: 2 })
    await send(first, all.slice(0, 2000))
    const one = await start(first)
    while ((one.metrics()['recordsIn'] ?? 0) < 1) await delay(5)
    const { positions } = await one.savepoint(join(folder, 'a'))
    await one.close()
    const rest = [...behind(positions[input] ?? [0, 0], all.slice(0, 2000)), ...all.slice(2000)]
    await topics(3)
    const settings = settingsOf({ applicationId: app })
    const plan = compile(planOf(cities(input, output)))
    await savepointToLog({ log, settings, plan }, join(folder, 'a'), 'keep')
    await assert.rejects(savepointToLog({ log, settings, plan }, join(folder, 'a'), 'keep'), {
      code: 'DHAARA_SAVEPOINT',
    })
    const broker = await kafkaOf()
    await send(broker, rest)
    assert.deepEqual(await finish(broker), totals(all))
  })

  it('take state from Kafka, with what was in flight, to the embedded log and back to Kafka with other partitions', async () => {
    await topics(3)
    const broker = await kafkaOf()
    const one = await start(broker)
    const plan = compile(planOf(cities(input, output)))
    const of = { log, app, plan, logger: settingsOf({ applicationId: app }).logger }
    await send(broker, all.slice(0, 2000))
    while ((one.metrics()['recordsIn'] ?? 0) < 1) await delay(1)
    await assert.rejects(savepointOfLog(of, join(folder, 'never'), 0), { code: 'DHAARA_SAVEPOINT' })
    await one.close()
    const { positions } = await savepointOfLog(of, join(folder, 'b'), Date.now())
    const rest = [...behind(positions[input] as number[], all.slice(0, 2000)), ...all.slice(2000)]

    const dir = join(folder, 'embedded')
    const embedded = embeddedBroker({ dir })
    const lease = await openEmbedded(embedded)
    await restoreSavepoint(lease.backend, app, join(folder, 'b'), 'start')
    await lease.release()
    await send(embedded, rest)
    assert.deepEqual(await finish(embedded), totals(all))
    await embedded[Symbol.asyncDispose]()

    const own = (await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app))
    await log.deleteTopics(own)
    await log.deleteGroup(app)
    while ((await log.topics()).some(({ name }) => name.startsWith(app))) await delay(50)
    await topics(5)
    await savepointToLog({ log, settings: settingsOf({ applicationId: app }), plan }, join(folder, 'b'), 'start')
    const again = await kafkaOf()
    await send(again, rest)
    assert.deepEqual(await finish(again), totals(all))
  })
})
