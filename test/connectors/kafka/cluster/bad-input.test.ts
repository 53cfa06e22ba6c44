import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import type { ClusterSpec, NodeSpec } from '../../../../scripts/kafka/spec.ts'
import { admin, guest, trustOf, unsignedToken } from '../../../../scripts/kafka/security.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { AnswerMemory } from '../../../../src/connectors/kafka/answer-memory.ts'
import type { KafkaBrokerOptions } from '../../../../src/connectors/kafka/options.ts'
import type { SaslOptions } from '../../../../src/connectors/kafka/client/client.ts'
import { connectDirect } from '../../../../src/connectors/kafka/client/direct.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { faultyCluster, unique } from '../broker.ts'
import { Proxy } from '../proxy.ts'
import { readAll } from './read.ts'

const clients = ['platformatic', 'kafkajs'] as const
const own = { key: serdes.string(), value: serdes.string() }

const is =
  (code: string, says: RegExp) =>
  (error: Error & { code?: string }): boolean => {
    assert.equal(error.code, code, error.message)
    assert.match(error.message, says)
    return true
  }

describe('what a cluster refuses, and what is wrong with it', () => {
  let cluster: ClusterSpec
  let node: NodeSpec
  let ca: string
  let log: RemoteLog
  let app: string
  let dir: string

  before(async function () {
    this.timeout(120_000)
    cluster = await faultyCluster()
    node = cluster.nodes[0] as NodeSpec
    ca = trustOf(cluster)
    log = await kafkaBroker({ brokers: [at(node.port)] })[remote]()
  })
  after(() => log?.release())
  beforeEach(async () => {
    app = unique('bad')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-bad-'))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await rm(dir, { recursive: true, force: true })
  })

  const at = (port: number | undefined): string => `localhost:${port}`
  const tls = (): number => node.secure?.tls as number
  const sasl = (): number => node.secure?.sasl as number
  const saslTls = (): number => node.secure?.saslTls as number

  async function connect(options: Omit<KafkaBrokerOptions, 'brokers'>, port: number): Promise<void> {
    const found = await kafkaBroker({ brokers: [at(port)], ...options })[remote]()
    try {
      assert.ok((await found.topics()).length >= 0)
    } finally {
      await found.release()
    }
  }

  /** What the libraries have no part in. */
  it('a connection of our own logs in by each mechanism, and is told what is wrong', async () => {
    const own = (sasl: SaslOptions, port: number, ssl?: object) =>
      connectDirect('localhost', port, 10_000, { clientId: 'own', sasl, ssl }, new AnswerMemory())
    const all: SaslOptions[] = [
      ...(['plain', 'scram-sha-256', 'scram-sha-512'] as const).map((mechanism) => ({ mechanism, ...admin })),
      { mechanism: 'oauthbearer', token: async () => unsignedToken('admin') },
    ]
    for (const login of all) {
      for (const connection of [await own(login, sasl()), await own(login, saslTls(), { ca })]) {
        assert.ok(connection.open)
        await connection.close()
      }
      const wrong =
        'password' in login
          ? { ...login, password: 'wrong' }
          : { mechanism: 'oauthbearer' as const, token: async () => 'a.b.c' }
      await assert.rejects(own(wrong, sasl()), is('DHAARA_KAFKA_AUTH', /SASL .* was refused.*option sasl/s))
    }
  })

  for (const client of clients) {
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      it(`${client} logs in by ${mechanism}, with TLS and without, and is told of a wrong password`, async () => {
        await connect({ client, sasl: { mechanism, ...admin } }, sasl())
        await connect({ client, ssl: { ca }, sasl: { mechanism, ...admin } }, saslTls())
        const wrong = { client, sasl: { mechanism, ...admin, password: 'wrong' } }
        await assert.rejects(connect(wrong, sasl()), is('DHAARA_KAFKA_AUTH', /did not let us in.*option sasl/s))
      })
    }

    /** Options, port, code and words. */
    const refusals: Record<string, readonly [() => object, () => number, string, RegExp]> = {
      'TLS, at a port without': [
        () => ({ ssl: { ca } }),
        () => node.port,
        'DHAARA_KAFKA_CONNECT',
        /speak TLS as the option ssl/,
      ],
      'no TLS, at a port with it': [() => ({}), tls, 'DHAARA_KAFKA_CONNECT', /TLS/],
      'a certificate that nobody vouches for': [
        () => ({ ssl: true }),
        tls,
        'DHAARA_KAFKA_CONNECT',
        /certificate.*ssl: \{ ca \}/s,
      ],
      'no login, where one is wanted': [() => ({}), sasl, 'DHAARA_KAFKA_CONNECT', /options ssl and sasl/],
      'a login, where none is wanted': [
        () => ({ sasl: { mechanism: 'plain', ...admin } }),
        () => node.port,
        'DHAARA_KAFKA_AUTH',
        /did not let us in/,
      ],
    }
    for (const [name, [options, port, code, says]] of Object.entries(refusals)) {
      it(`${client}: ${name}`, () => assert.rejects(connect({ client, ...options() }, port()), is(code, says)))
    }

    it(`${client} reads over TLS what was sent, with a login and without`, async () => {
      await topics()
      const values = Array.from({ length: 200 }, (_, i) => `${i}`.padEnd(12_000, '-'))
      await send(...values)
      const ways = [
        { brokers: [at(tls())] },
        { brokers: [at(saslTls())], sasl: { mechanism: 'scram-sha-256', ...admin } },
        { brokers: [at(saslTls())], sasl: { mechanism: 'scram-sha-512', ...admin } },
        { brokers: [at(saslTls())], sasl: { mechanism: 'plain', ...admin } },
        { brokers: [at(saslTls())], sasl: { mechanism: 'oauthbearer', token: async () => unsignedToken('admin') } },
      ] as const
      for (const way of ways) {
        const found: (string | null)[] = []
        for await (const { value } of kafkaBroker({ client, ssl: { ca }, ...way }).consumer(`${app}.in`, own)) {
          found.push(value)
          if (found.length === values.length) break
        }
        assert.deepEqual(found, values)
      }
    })

    it(`${client}: a broker of an old version`, async () => {
      // Its whole answer to the first request: correlation id, and that it does not know this version of it (35).
      const old = createServer((socket) => {
        socket.on('error', () => {})
        socket.on('data', (request: Buffer) => {
          const answer = Buffer.alloc(14)
          answer.writeInt32BE(10, 0)
          request.copy(answer, 4, 8, 12)
          answer.writeInt16BE(35, 8)
          socket.write(answer)
        })
      })
      await new Promise<void>((resolve) => void old.listen(0, '127.0.0.1', resolve))
      const { port } = old.address() as { port: number }
      try {
        await assert.rejects(
          connect({ client, clientId: 'x' }, port),
          is('DHAARA_KAFKA_VERSION', /(too old|does not speak).*2\.8 or newer is needed/s),
        )
      } finally {
        await new Promise((resolve) => void old.close(resolve))
      }
    })
  }

  function copying(input = `${app}.in`, output = `${app}.out`): Topology {
    const builder = new StreamsBuilder()
    builder.stream(input, own).to(output, own)
    return builder.build()
  }

  const make = (topology: Topology, options: Partial<KafkaBrokerOptions> = {}): StreamsApp =>
    new StreamsApp({
      applicationId: app,
      broker: kafkaBroker({ brokers: [at(node.port)], ...options }),
      topology,
      stateDir: dir,
    })

  async function topics(configs: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): Promise<void> {
    await log.createTopics(
      ['in', 'out'].map((name) => ({ name: `${app}.${name}`, partitions: 1, configs: configs[name] ?? {} })),
    )
  }

  async function send(...values: string[]): Promise<void> {
    await using producer = kafkaBroker({ brokers: [at(node.port)] }).producer<string, string>(`${app}.in`, own)
    for (const value of values) await producer.send({ key: 'k', value })
  }

  const copies = (): Promise<string[]> => readAll(log, `${app}.out`, 0)

  async function runToEnd(options: Partial<KafkaBrokerOptions> = {}): Promise<void> {
    await using running = make(copying(), options)
    await running.start()
    running.endInputs()
    await running.completed
  }

  /** Fails at the start or later. */
  async function failure(running: StreamsApp): Promise<never> {
    try {
      await running.start()
      return (await running.completed) as never
    } finally {
      await running.close()
    }
  }

  for (const end of ['in', 'out']) {
    it(`names a topic that is not there: ${end}`, async () => {
      await log.createTopics([{ name: `${app}.${end === 'in' ? 'out' : 'in'}`, partitions: 1, configs: {} }])
      await assert.rejects(failure(make(copying())), is('DHAARA_TOPIC_UNKNOWN', new RegExp(`${app}.${end}`)))
    })
  }

  it('refuses to join topics that do not lie together', async () => {
    await topics()
    await log.createTopics([{ name: `${app}.more`, partitions: 3, configs: {} }])
    const builder = new StreamsBuilder()
    const table = builder.table(`${app}.more`, own)
    builder
      .stream(`${app}.in`, own)
      .join(table, (a, b) => a + b)
      .to(`${app}.out`, own)
    await assert.rejects(failure(make(builder.build())), is('DHAARA_TOPOLOGY', /has 3.*has 1.*DHAARA_COPARTITION/s))
  })

  it('says so where somebody has no rights', async () => {
    await topics()
    const options = { brokers: [at(sasl())], sasl: { mechanism: 'plain', ...guest } } as const
    await assert.rejects(failure(make(copying(), options)), is('DHAARA_KAFKA_AUTH', new RegExp(`${app}.in`)))
  })

  it('stops at a record that its topic does not take, and goes on when it does', async () => {
    await topics({ out: { 'max.message.bytes': '2000' } })
    await send('a', 'b'.repeat(5000), 'c')
    await assert.rejects(
      failure(make(copying())),
      is('DHAARA_RECORD_TOO_LARGE', new RegExp(`${app}.out.*raise it for this topic`)),
    )
    assert.deepEqual(await copies(), [])
    await log.deleteTopics([`${app}.out`])
    await log.createTopics([{ name: `${app}.out`, partitions: 1, configs: {} }])
    await runToEnd()
    assert.deepEqual(await copies(), ['a', 'b'.repeat(5000), 'c'])
  })

  async function setLimit(topic: string, bytes: number): Promise<void> {
    const cluster = new Kafka({ brokers: [at(node.port)], logLevel: logLevel.NOTHING }).admin()
    await cluster.connect()
    const configEntries = [{ name: 'max.message.bytes', value: String(bytes) }]
    await cluster.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] })
    await cluster.disconnect()
  }

  for (const kind of ['changelog', 'repartition'] as const) {
    it(`stops at a record that a ${kind} of its own does not take, and goes on when it does`, async () => {
      const gathering = (): Topology => {
        const builder = new StreamsBuilder()
        builder
          .stream(`${app}.in`, own)
          .groupBy(() => 'all')
          .aggregate(
            () => '',
            (all, value) => all + value,
            { store: 'all' },
          )
          .toStream()
          .mapValues((all) => String(all.length))
          .to(`${app}.out`, own)
        return builder.build()
      }
      const run = async (): Promise<void> => {
        await using running = make(gathering())
        await running.start()
        running.endInputs()
        await running.completed
      }
      await topics()
      await send('a')
      await run()
      const names = (await log.topics()).map(({ name }) => name)
      const end = kind === 'changelog' ? '-all-changelog' : '-repartition'
      const topic = names.find((name) => name.startsWith(`${app}-`) && name.endsWith(end)) as string
      await setLimit(topic, 2000)
      await send('b'.repeat(5000))
      await assert.rejects(
        failure(make(gathering())),
        is('DHAARA_RECORD_TOO_LARGE', new RegExp(`${topic}.*rows of the store`)),
      )
      // who reads what it writes need not wait until brokers give its transaction up
      assert.deepEqual(
        (await log.openTransactions()).filter((id) => id.startsWith(app)),
        [],
      )
      assert.deepEqual(await copies(), ['1'])
      await setLimit(topic, 1_000_000)
      await run()
      assert.deepEqual(await copies(), ['1', '5001'])
    })
  }

  it('stops at a batch of which a bit was flipped, and goes on with the true one', async () => {
    await topics()
    await send('whole')
    await send('flip me')
    const { port, advertised } = node.proxied as NonNullable<NodeSpec['proxied']>
    await using proxy = await Proxy.listen(advertised, port)
    proxy.alter = (bytes) => {
      const found = bytes.indexOf('flip me')
      if (found >= 0) (bytes[found] as number) ^= 4
    }
    const options = { brokers: [at(advertised)] }
    await assert.rejects(
      failure(make(copying(), options)),
      is('DHAARA_KAFKA_CORRUPT', new RegExp(`${app}.in.*checksum`, 's')),
    )
    proxy.alter = () => {}
    await runToEnd(options)
    assert.deepEqual(await copies(), ['whole', 'flip me'])
  })

  it('stops when a topic is deleted, and does not take a new one for it', async () => {
    await topics()
    await send('a', 'b')
    const running = make(copying())
    await running.start()
    const committed = new Promise<void>((resolve) => void running.on('checkpoint', () => resolve()))
    await committed
    await log.deleteTopics([`${app}.in`])
    await assert.rejects(running.completed, is('DHAARA_TOPIC_UNKNOWN', new RegExp(`${app}.in`)))
    await running.close()
    await log.createTopics([{ name: `${app}.in`, partitions: 1, configs: {} }])
    await send('c', 'd', 'e')
    await assert.rejects(failure(make(copying())), is('DHAARA_TOPIC_REPLACED', /deleted and made again.*dhaara reset/s))
  })

  async function giveMore(topic: string, count: number): Promise<void> {
    const cluster = new Kafka({ brokers: [at(node.port)], logLevel: logLevel.NOTHING }).admin()
    await cluster.connect()
    await cluster.createPartitions({ topicPartitions: [{ topic, count }] })
    await cluster.disconnect()
  }

  function counting(): Topology {
    const builder = new StreamsBuilder()
    builder
      .stream(`${app}.in`, own)
      .groupByKey()
      .count({ name: 'counts' })
      .toStream()
      .mapValues(String)
      .to(`${app}.out`, own)
    return builder.build()
  }

  it('stops when an input of what keeps state has been given more partitions: its keys may lie in others now', async () => {
    await topics()
    await send('a')
    const running = make(counting())
    await running.start()
    await giveMore(`${app}.in`, 3)
    const code = 'DHAARA_TOPIC_PARTITIONS'
    await assert.rejects(running.completed, is(code, new RegExp(`${app}.in.*has 3 partitions now.*savepoint`)))
    await running.close()
    await assert.rejects(failure(make(counting())), is(code, /has 1 partitions, and the topology needs 3/))
    assert.deepEqual(await copies(), ['1'])
  })

  it('stops where retention has passed its position', async () => {
    await topics()
    await send('a')
    await runToEnd()
    await send('b', 'c', 'd')
    await log.deleteRecords([{ topic: `${app}.in`, partition: 0, offset: 3 }])
    await assert.rejects(failure(make(copying())), is('DHAARA_KAFKA_OFFSET', /at 1\..*retention.*dhaara reset/s))
    assert.deepEqual(await copies(), ['a'])
  })
})
