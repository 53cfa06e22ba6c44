import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type RemoteBroker,
  type RemoteLog,
  type RemoteTopic,
  remote,
} from '../../../../src/connectors/broker/remote.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { settingsOf } from '../../../../src/engine/app/settings/options.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { savepointToLog } from '../../../../src/engine/remote/savepoint/index.ts'
import { type AppOptions, kafkaBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { cities, type Order } from '../children/cities.ts'
import { rowAt } from '../rows.ts'
import { readBatches } from './read.ts'

const names = ['Mumbai', 'Pune', 'Chennai', 'Kochi', 'Jaipur', 'Surat', 'Bhopal']
const partitions = 3

interface Row {
  readonly count: number
  readonly sum: number
}

describe('a savepoint of an app on Kafka that runs', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let input: string
  let folder: string
  let sent: Order[]

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('cut')
    input = `${app}.orders`
    folder = mkdtempSync(join(tmpdir(), 'dhaara-cut-'))
    sent = []
    const topics = [input, ...[app, ...restored()].map((name) => `${name}.out`)]
    await log.createTopics(topics.map((name) => ({ name, partitions, configs: {} })))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    rmSync(folder, { recursive: true, force: true })
  })

  const restored = (): string[] => ['one', 'two', 'http'].map((name) => `${app}-from-${name}`)

  /** Sends all the time; ends when it is told to. */
  async function feed(stop: AbortSignal): Promise<void> {
    await using producer = broker.producer<string, Order>(input, { key: serdes.string(), value: serdes.json<Order>() })
    while (!stop.aborted) {
      const batch = Array.from({ length: 50 }, (_, i): Order => {
        const n = sent.length + i
        return { n, city: names[n % names.length] as string }
      })
      sent.push(...batch)
      await Promise.all(batch.map((value) => producer.send({ key: String(value.n), value, timestamp: 1000 + value.n })))
    }
  }

  function make(name: string, own: object = {}): StreamsApp {
    const options = { applicationId: name, broker, checkpointInterval: 20, topology: cities(input, `${name}.out`) }
    return new StreamsApp({ ...options, ...own } as AppOptions as never)
  }

  const outputs = async (name: string): Promise<Row[][]> => {
    const rows = new Map<string, Row[]>()
    for (let partition = 0; partition < partitions; partition++)
      for (const batch of await readBatches(log, `${name}.out`, partition))
        for (let i = 0; i < batch.count; i++) {
          const { key, value } = rowAt(batch, i)
          const city = String(key)
          rows.set(city, [...(rows.get(city) ?? []), JSON.parse(String(value)) as Row])
        }
    return names.map((city) => rows.get(city) ?? [])
  }

  /** Resolves when the app has committed more rows than those. */
  async function moreThan(rows: number): Promise<number> {
    for (;;) {
      const found = (await outputs(app)).flat().length
      if (found > rows) return found
      await delay(20)
    }
  }

  /** An app begins with a savepoint, and goes through the rest. */
  async function goOn(name: string, next: string): Promise<void> {
    const topology = cities(input, `${next}.out`)
    const settings = settingsOf({ applicationId: next, topology, broker } as never)
    await savepointToLog({ log, settings, plan: compile(planOf(topology)) }, join(folder, name), 'keep')
    const running = make(next)
    await running.start()
    running.endInputs()
    await running.completed
    for (const [at, rows] of (await outputs(next)).entries()) {
      const own = sent.filter(({ n }) => n % names.length === at)
      const sum = own.reduce((all, { n }) => all + n, 0)
      assert.deepEqual(rows.at(-1), { count: own.length, sum }, `${names[at]} from ${name}`)
      // those before came before the savepoint
      const counts = rows.map(({ count }) => count)
      assert.deepEqual(
        counts,
        counts.map((_, k) => own.length - counts.length + 1 + k),
      )
    }
  }

  it('is of one moment, whoever is asked, while records go from task to task; others go on from it exactly', async () => {
    const one = make(app, { http: { port: 0, admin: true } })
    const module = new URL('../children/cities.ts', import.meta.url)
    const two = make(app, { topology: module, workers: 2, settings: { input, output: `${app}.out` } })
    await one.start()
    await two.start()
    const stop = new AbortController()
    const feeding = feed(stop.signal)
    const read: number[] = []
    let written = 0
    try {
      for (const [name, who] of [
        ['one', one],
        ['two', two],
      ] as const) {
        written = await moreThan(written)
        const { positions } = await who.savepoint(join(folder, name))
        read.push((positions[input] as number[]).reduce((sum, at) => sum + Math.max(0, at), 0))
      }
      const answer = await fetch(new URL('/api/savepoints', one.httpUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ folder: join(folder, 'http') }),
      })
      assert.ok(answer.ok, await answer.text())
      await assert.rejects(one.savepoint(join(folder, 'http')), {
        code: 'DHAARA_SAVEPOINT',
        message: /is there already/,
      })
    } finally {
      stop.abort()
      await feeding
      await one.close()
      await two.close()
    }
    // in the midst of it, each behind the one before
    assert.ok(0 < (read[0] as number) && (read[0] as number) < (read[1] as number), `${read}`)
    assert.ok((read[1] as number) < sent.length, `${read} of ${sent.length}`)

    for (const [i, name] of ['one', 'two', 'http'].entries()) await goOn(name, restored()[i] as string)
  }).timeout(120_000)

  it('is whole after repartitions were purged, and where tasks are kept for an instance that has left', async () => {
    const own = { rebalanceDelay: 2000 }
    const one = make(app, own)
    const two = make(app, own)
    await one.start()
    await two.start()
    const stop = new AbortController()
    const feeding = feed(stop.signal)
    try {
      const ofApp = (await log.topics()).filter(({ name }) => name.startsWith(`${app}-`))
      const repartition = ofApp.find(({ name }) => name.endsWith('-repartition')) as RemoteTopic
      const where = Array.from({ length: partitions }, (_, partition) => ({ topic: repartition.name, partition }))
      while ((await log.offsets(where, 'earliest')).some((start) => start === 0)) await delay(20)
      await two.close()
      await one.savepoint(join(folder, 'one'))
    } finally {
      stop.abort()
      await feeding
      await two.close()
      await one.close()
    }
    await goOn('one', restored()[0] as string)
  }).timeout(120_000)
})
