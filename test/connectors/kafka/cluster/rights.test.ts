import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guest } from '../../../../scripts/kafka/security.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { faultyCluster, unique } from '../broker.ts'
import { readAll } from './read.ts'
import {
  create,
  describe as describes,
  grant,
  group,
  read,
  revoke,
  type Rule,
  topic,
  transactionalId,
  write,
} from './users.ts'

const own = { key: serdes.string(), value: serdes.string() }
type Right = 'in' | 'out' | 'internal' | 'create' | 'group' | 'transactionalId'

/** Least that the job needs, by what it is for. */
const rights = (app: string): Record<Right, Rule> => ({
  in: [topic, `${app}.in`, [read]],
  out: [topic, `${app}.out`, [write]],
  internal: [topic, `${app}-`, [read, write]],
  create: [topic, `${app}-`, [create]],
  group: [group, app, [read]],
  transactionalId: [transactionalId, app, [write, describes]],
})

describe('rights that an app needs', function () {
  this.timeout(60_000)
  let addresses: { open: string; sasl: string }
  let log: RemoteLog
  let app: string
  let dir: string

  before(async () => {
    const [node] = (await faultyCluster()).nodes
    addresses = { open: `localhost:${node?.port}`, sasl: `localhost:${node?.secure?.sasl}` }
    log = await kafkaBroker({ brokers: [addresses.open] })[remote]()
  })
  after(() => log?.release())
  beforeEach(async () => {
    app = unique('rights')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-rights-'))
    await log.createTopics(['in', 'out'].map((name) => ({ name: `${app}.${name}`, partitions: 1, configs: {} })))
    await using producer = kafkaBroker({ brokers: [addresses.open] }).producer<string, string>(`${app}.in`, own)
    for (const value of ['a', 'b', 'c']) await producer.send({ key: 'k', value })
  })
  afterEach(async () => {
    await revoke(addresses.open, Object.values(rights(app)))
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await rm(dir, { recursive: true, force: true })
  })

  function counting(): Topology {
    const builder = new StreamsBuilder()
    builder
      .stream(`${app}.in`, own)
      .groupBy(() => 'all')
      .count({ name: 'counts' })
      .toStream()
      .mapValues(String)
      .to(`${app}.out`, own)
    return builder.build()
  }

  async function run(): Promise<void> {
    const broker = kafkaBroker({ brokers: [addresses.sasl], sasl: { mechanism: 'plain', ...guest } })
    const running = new StreamsApp({ applicationId: app, topology: counting(), broker, stateDir: dir })
    try {
      await running.start()
      running.endInputs()
      await running.completed
    } finally {
      await running.close()
    }
  }

  const words: Record<Right, (name: string) => RegExp> = {
    in: (name) => new RegExp(`${name}\\.in`),
    out: (name) => new RegExp(`${name}\\.out`),
    internal: (name) => new RegExp(`${name}-`),
    create: (name) => new RegExp(`${name}-`),
    group: (name) => new RegExp(`group '${name}'`),
    transactionalId: (name) => new RegExp(`'${name}-`),
  }

  for (const missing of Object.keys(words) as Right[]) {
    it(`names what it must not: ${missing}; with the right it goes on`, async () => {
      const { [missing]: held, ...others } = rights(app)
      await grant(addresses.open, guest.username, Object.values(others))
      await assert.rejects(run(), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'DHAARA_KAFKA_AUTH', error.message)
        assert.match(error.message, words[missing](app))
        return true
      })
      assert.deepEqual(await readAll(log, `${app}.out`, 0), [])
      await grant(addresses.open, guest.username, [held])
      await run()
      assert.deepEqual(await readAll(log, `${app}.out`, 0), ['1', '2', '3'])
    })
  }
})
