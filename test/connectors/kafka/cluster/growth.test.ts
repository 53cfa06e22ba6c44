import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { settingsOf } from '../../../../src/engine/app/settings/options.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { savepointOfLog, savepointToLog } from '../../../../src/engine/remote/savepoint/index.ts'
import { kafka, unique } from '../broker.ts'
import { readAll } from './read.ts'

const own = { key: serdes.string(), value: serdes.string() }

describe('inputs on Kafka that are given more partitions', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string
  let sent: string[]

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('growth')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-growth-'))
    sent = []
    await log.createTopics(['in', 'out'].map((name) => ({ name: `${app}.${name}`, partitions: 1, configs: {} })))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  function topology(): Topology {
    const builder = new StreamsBuilder()
    // what comes to a new partition before anybody looks is read all the same
    builder
      .stream(`${app}.in`, { ...own, offsetReset: 'latest' })
      .mapValues((value) => value)
      .to(`${app}.out`, own)
    return builder.build()
  }

  async function start(state: string): Promise<StreamsApp> {
    const options = { applicationId: app, broker, topology: topology(), stateDir: join(dir, state) }
    const one = new StreamsApp({ ...options, checkpointInterval: 20 })
    await one.start()
    return one
  }

  /** With keys of their own, so that all partitions get some. */
  async function send(count: number): Promise<void> {
    await using producer = kafkaBroker({ brokers: await kafka() }).producer<string, string>(`${app}.in`, own)
    for (let i = 0; i < count; i++) {
      const value = String(sent.length)
      sent.push(value)
      void producer.send({ key: value, value })
    }
  }

  const copies = (): Promise<string[]> => readAll(log, `${app}.out`, 0)

  async function all(): Promise<void> {
    const until = Date.now() + 45_000
    while ((await copies()).length < sent.length && Date.now() < until) await delay(50)
    assert.deepEqual((await copies()).sort(), sent.toSorted())
  }

  it('go on, of what keeps no state: there are tasks for them a few seconds later, shared by all instances, and after a restart', async () => {
    const one = await start('one')
    const two = await start('two')
    await send(10)
    await all()
    await log.growTopic(`${app}.in`, 4)
    await send(100)
    await all()
    await two.close()
    await send(50)
    await all()
    await one.close()
    // while nobody looked
    await log.growTopic(`${app}.in`, 6)
    await send(100)
    const again = await start('one')
    await all()
    await again.close()
  }).timeout(120_000)

  it('go on from a savepoint where state is kept: each partition where it was, the new ones from their beginning', async () => {
    const builder = new StreamsBuilder()
    builder
      .stream(`${app}.in`, own)
      .mapValues((value) => value)
      .groupBy((value) => `k${Number(value) % 3}`)
      .count({ name: 'thirds' })
      .toStream()
      .mapValues((count, key) => `${key}=${count}`)
      .to(`${app}.out`, own)
    const counting = builder.build()
    const broken = (partitions: number) => ({
      code: 'DHAARA_TOPIC_PARTITIONS',
      message: new RegExp(`${partitions}.*savepoint restore --positions grown`),
    })
    const startIt = async (): Promise<StreamsApp> => {
      const one = new StreamsApp({ applicationId: app, broker, topology: counting, checkpointInterval: 20 })
      await one.start()
      return one
    }
    const counted = async (): Promise<void> => {
      const expected = [0, 1, 2].map((k) => `k${k}=${sent.filter((value) => Number(value) % 3 === k).length}`)
      const until = Date.now() + 45_000
      for (;;) {
        const rows = await copies()
        if (expected.every((row) => rows.includes(row))) break
        assert.ok(Date.now() < until, `${rows.slice(-3)} of ${expected}`)
        await delay(50)
      }
      // no count is there twice, none is left out
      const rows = await copies()
      assert.equal(rows.length, sent.length)
      assert.equal(new Set(rows).size, sent.length)
    }
    const one = await startIt()
    await send(30)
    await counted()
    await log.growTopic(`${app}.in`, 4)
    await assert.rejects(one.completed, broken(4))
    await one.close()
    await send(100)
    await assert.rejects(startIt(), broken(4))

    const settings = settingsOf({ applicationId: app })
    const plan = compile(planOf(counting))
    const folder = join(dir, 'savepoint')
    await savepointOfLog({ log, app, plan, logger: settings.logger }, folder, 0)
    const made = (await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(`${app}-`))
    await log.deleteTopics(made)
    await log.deleteGroup(app)
    while ((await log.topics()).some(({ name }) => made.includes(name))) await delay(50)
    await savepointToLog({ log, settings, plan }, folder, 'grown')
    const again = await startIt()
    await counted()
    await send(20)
    await counted()
    await again.close()
  }).timeout(120_000)
})
