import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeSpec } from '../../../../scripts/kafka/spec.ts'
import { embeddedBroker, kafkaBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { type RemoteLog, type RemoteTopic, remote } from '../../../../src/connectors/broker/remote.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { settingsOf } from '../../../../src/engine/app/settings/options.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { isInternal } from '../../../../src/engine/remote/topics/names.ts'
import { savepointToLog } from '../../../../src/engine/remote/savepoint/index.ts'
import { cities, type Order } from '../children/cities.ts'
import { faultyCluster, unique } from '../broker.ts'
import { Proxy } from '../proxy.ts'

/** The number of the request that ends a transaction. */
const endTxn = 26

describe('a savepoint on its way to Kafka', () => {
  let node: NodeSpec
  let direct: RemoteLog
  let app: string
  let folder: string
  const names = (): string[] => [`${app}.orders`, `${app}.out`]
  const settings = () => settingsOf({ applicationId: app })
  const plan = () => compile(planOf(cities(`${app}.orders`, `${app}.out`)))

  before(async function () {
    this.timeout(120_000)
    node = (await faultyCluster()).nodes[0] as NodeSpec
    direct = await kafkaBroker({ brokers: [`127.0.0.1:${node.port}`] })[remote]()
  })
  after(() => direct?.release())

  beforeEach(async () => {
    app = unique('landing')
    folder = mkdtempSync(join(tmpdir(), 'dhaara-landing-'))
    const broker = embeddedBroker()
    {
      await using producer = broker.producer<string, Order>(`${app}.orders`, {
        key: serdes.string(),
        value: serdes.json<Order>(),
      })
      for (let n = 0; n < 100; n++)
        void producer.send({ key: String(n), value: { n, city: 'Pune' }, timestamp: 1000 + n })
    }
    await using one = new StreamsApp({
      applicationId: app,
      topology: cities(`${app}.orders`, `${app}.out`),
      broker,
      checkpointInterval: 10,
    })
    const checkpoint = new Promise<void>((resolve) => void one.on('checkpoint', () => resolve()))
    await one.start()
    await checkpoint
    await one.savepoint(join(folder, 'a'))
    await direct.createTopics(names().map((name) => ({ name, partitions: 2, configs: {} })))
  })
  afterEach(async () => {
    await direct.deleteTopics((await direct.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    rmSync(folder, { recursive: true, force: true })
  })

  const own = async (): Promise<string[]> =>
    (await direct.topics()).map(({ name }) => name).filter((name) => isInternal(app, name))

  /** Restores over a line that is cut at the commit. While it is, somebody of the same name ends the transaction for good. */
  async function restore(at: 'cut' | 'cut before the answer', between = async () => {}): Promise<void> {
    const { port, advertised } = node.proxied as NonNullable<NodeSpec['proxied']>
    await using proxy = await Proxy.listen(advertised, port)
    proxy.watch = (bytes) => {
      if (bytes.readInt16BE(4) !== endTxn) return 'pass'
      proxy.watch = () => 'pass'
      return at
    }
    const log = await kafkaBroker({ brokers: [`127.0.0.1:${advertised}`] })[remote]()
    try {
      const restoring = savepointToLog({ log, settings: settings(), plan: plan() }, join(folder, 'a'), 'start')
      const outcome = Promise.allSettled([restoring])
      await Promise.race([proxy.broken, restoring])
      const other = direct.writer({ transactionalId: `${app}-savepoint` })
      await other.init()
      await other.close()
      await between()
      proxy.heal()
      const [one] = await outcome
      if (one.status === 'rejected') throw one.reason
    } finally {
      await log.release()
    }
  }

  it('minds no topic of others that is deleted meanwhile', async () => {
    const gone = { ...((await direct.topics())[0] as RemoteTopic), name: `${app}.of-others` }
    const behind = new globalThis.Proxy(direct, {
      get(log, name) {
        if (name === 'topics') return async () => [...(await log.topics()), gone]
        const own: unknown = Reflect.get(log, name)
        return typeof own === 'function' ? own.bind(log) : own
      },
    })
    await savepointToLog({ log: behind, settings: settings(), plan: plan() }, join(folder, 'a'), 'start')
    assert.ok((await own()).includes(`${app}-cities-changelog`))
  })

  it('whose commit goes unanswered is in where the broker had heard of it', async () => {
    await restore('cut before the answer')
    assert.ok((await own()).includes(`${app}-cities-changelog`))
    const again = savepointToLog({ log: direct, settings: settings(), plan: plan() }, join(folder, 'a'), 'start')
    await assert.rejects(again, { code: 'DHAARA_SAVEPOINT' })
    assert.ok((await own()).includes(`${app}-cities-changelog`))
  })

  it('leaves nothing behind where the broker had not heard of the commit, and goes well the next time', async () => {
    await assert.rejects(restore('cut'), { code: 'DHAARA_KAFKA_FENCED' })
    assert.deepEqual(await own(), [])
    await savepointToLog({ log: direct, settings: settings(), plan: plan() }, join(folder, 'a'), 'start')
    assert.ok((await own()).includes(`${app}-cities-changelog`))
  })

  it('takes nothing away from an instance that was started meanwhile', async () => {
    const member = direct.member({
      group: app,
      topics: names(),
      userData: () => Buffer.alloc(0),
      assign: async (members) =>
        members.map(({ member: id }) => ({ member: id, partitions: [], userData: Buffer.alloc(0) })),
    })
    try {
      await assert.rejects(
        restore('cut', async () => void (await member.join())),
        { code: 'DHAARA_SAVEPOINT', message: /Stop all instances.*dhaara reset/s },
      )
      assert.ok((await own()).includes(`${app}-cities-changelog`))
    } finally {
      await member.leave()
    }
  })
})
