import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AclOperationTypes, type AclResourceTypes, Kafka, logLevel } from 'kafkajs'
import { guest } from '../../../../scripts/kafka/security.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { faultyCluster, unique } from '../broker.ts'
import { readAll } from './read.ts'

const own = { key: serdes.string(), value: serdes.string() }
// numbers of the protocol: the library's own names of them are not to be had from a module
const [TOPIC, GROUP, TRANSACTIONAL_ID] = [2, 3, 5] as const
const [ANY, READ, WRITE, CREATE, DESCRIBE] = [1, 3, 4, 5, 8] as const
const PREFIXED = 4
const ALLOW = 3

type Right = 'in' | 'out' | 'internal' | 'create' | 'group' | 'transactionalId'
type Rule = readonly [type: AclResourceTypes, name: string, operations: readonly AclOperationTypes[]]

/** Least that the job needs, by what it is for. */
const rights = (app: string): Record<Right, Rule> => ({
  in: [TOPIC, `${app}.in`, [READ]],
  out: [TOPIC, `${app}.out`, [WRITE]],
  internal: [TOPIC, `${app}-`, [READ, WRITE]],
  create: [TOPIC, `${app}-`, [CREATE]],
  group: [GROUP, app, [READ]],
  transactionalId: [TRANSACTIONAL_ID, app, [WRITE, DESCRIBE]],
})

describe('rights that an app needs', function () {
  this.timeout(60_000)
  let addresses: { open: string; sasl: string }
  let log: RemoteLog
  let app: string
  let dir: string
  const kafka = () => new Kafka({ brokers: [addresses.open], logLevel: logLevel.NOTHING }).admin()

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
    const admin = kafka()
    await admin.connect()
    await admin.deleteAcls({
      filters: [TOPIC, GROUP, TRANSACTIONAL_ID].flatMap((resourceType) =>
        Object.values(rights(app)).map(([, resourceName]) => ({
          resourceType,
          resourceName,
          resourcePatternType: PREFIXED,
          operation: ANY,
          permissionType: ANY,
        })),
      ),
    })
    await admin.disconnect()
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await rm(dir, { recursive: true, force: true })
  })

  async function grant(rules: readonly Rule[]): Promise<void> {
    const admin = kafka()
    await admin.connect()
    await admin.createAcls({
      acl: rules.flatMap(([resourceType, resourceName, operations]) =>
        operations.map((operation) => ({
          resourceType,
          resourceName,
          resourcePatternType: PREFIXED,
          principal: `User:${guest.username}`,
          host: '*',
          operation,
          permissionType: ALLOW,
        })),
      ),
    })
    await admin.disconnect()
  }

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
      await grant(Object.values(others))
      await assert.rejects(run(), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'DHAARA_KAFKA_AUTH', error.message)
        assert.match(error.message, words[missing](app))
        return true
      })
      assert.deepEqual(await readAll(log, `${app}.out`, 0), [])
      await grant([held])
      await run()
      assert.deepEqual(await readAll(log, `${app}.out`, 0), ['1', '2', '3'])
    })
  }
})
