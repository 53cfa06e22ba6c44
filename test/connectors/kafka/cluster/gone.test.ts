import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterSpec, NodeSpec } from '../../../../scripts/kafka/spec.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import {
  type AppOptions,
  kafkaBroker,
  serdes,
  StreamsApp,
  StreamsBuilder,
  type Topology,
} from '../../../../src/index.ts'
import { faultyCluster, unique } from '../broker.ts'
import { Proxy } from '../proxy.ts'
import { failing as failingTopology } from '../children/failing.ts'
import { textRows } from '../rows.ts'
import { readAll } from './read.ts'

const own = { key: serdes.string(), value: serdes.string() }
type Reset = 'earliest' | 'latest' | 'none' | { readonly timestamp: number }

describe('what is gone, or another, under an app', function () {
  this.timeout(60_000)
  let cluster: ClusterSpec
  let node: NodeSpec
  let log: RemoteLog
  let app: string
  let dir: string

  before(async () => {
    cluster = await faultyCluster()
    node = cluster.nodes[0] as NodeSpec
    log = await kafkaBroker({ brokers: [`localhost:${node.port}`] })[remote]()
  })
  after(() => log?.release())
  beforeEach(async () => {
    app = unique('gone')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-gone-'))
    await create('in', 'out')
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await rm(dir, { recursive: true, force: true })
  })

  const create = (...names: string[]): Promise<void> =>
    log.createTopics(names.map((name) => ({ name: `${app}.${name}`, partitions: 1, configs: {} })))

  async function send(...values: string[]): Promise<void> {
    await using producer = kafkaBroker({ brokers: [`localhost:${node.port}`] }).producer<string, string>(
      `${app}.in`,
      own,
    )
    for (const value of values) await producer.send({ key: 'k', value })
  }

  function copying(offsetReset: Reset = 'earliest'): Topology {
    const builder = new StreamsBuilder()
    builder.stream(`${app}.in`, { ...own, offsetReset }).to(`${app}.out`, own)
    return builder.build()
  }

  const make = (topology: Topology, port = node.port): StreamsApp =>
    new StreamsApp({
      applicationId: app,
      broker: kafkaBroker({ brokers: [`localhost:${port}`], sessionTimeout: 2000 }),
      topology,
      stateDir: dir,
    })

  const copies = (): Promise<string[]> => readAll(log, `${app}.out`, 0)

  async function runToEnd(topology: Topology): Promise<void> {
    await using running = make(topology)
    await running.start()
    running.endInputs()
    await running.completed
  }

  const failing = async (running: StreamsApp): Promise<void> => {
    try {
      await running.start()
      await running.completed
    } finally {
      await running.close()
    }
  }

  const committed = (running: StreamsApp): Promise<void> =>
    new Promise((resolve) => void running.on('checkpoint', () => resolve()))

  /** Runs through a proxy, has committed 'a' and 'b', and is cut off while something happens to its topics. */
  async function cutOff(what: () => Promise<void>): Promise<unknown> {
    await send('a', 'b')
    const { port, advertised } = node.proxied as NonNullable<NodeSpec['proxied']>
    await using proxy = await Proxy.listen(advertised, port)
    await using running = make(copying(), advertised)
    await running.start()
    while ((await copies()).length < 2) await committed(running)
    proxy.cut()
    await what()
    proxy.heal()
    return await running.completed.then(
      () => 'nothing was wrong',
      (error: unknown) => error,
    )
  }

  const is = (error: unknown, code: string, says: RegExp): void => {
    assert.equal((error as { code?: string }).code, code, String(error))
    assert.match((error as Error).message, says)
  }

  for (const reset of ['earliest', 'latest', 'none', { timestamp: 0 }] as const) {
    it(`a position that retention has passed is told of, and nothing skipped: ${JSON.stringify(reset)}`, async () => {
      await send('a')
      await runToEnd(copying())
      await send('b', 'c', 'd')
      await log.deleteRecords([{ topic: `${app}.in`, partition: 0, offset: 3 }])
      const error = await failing(make(copying(reset))).catch((found: unknown) => found)
      is(error, 'DHAARA_KAFKA_OFFSET', /at 1\..*retention.*dhaara reset/s)
      assert.deepEqual(await copies(), ['a'])
    })
  }

  it('retention passes the position of an app that was cut off: it ends, and skips nothing', async () => {
    const error = await cutOff(async () => {
      await send('c', 'd', 'e')
      await log.deleteRecords([{ topic: `${app}.in`, partition: 0, offset: 4 }])
    })
    is(error, 'DHAARA_KAFKA_OFFSET', /at 2\..*retention/s)
    assert.deepEqual(await copies(), ['a', 'b'])
  })

  for (const [what, count] of [
    ['shorter than its position', 1],
    ['longer than its position', 5],
  ] as const) {
    it(`a topic that was made anew while the app was cut off is no other's continuation: ${what}`, async () => {
      const error = await cutOff(async () => {
        await log.deleteTopics([`${app}.in`])
        await create('in')
        await send(...Array.from({ length: count }, (_, i) => `new ${i}`))
      })
      is(error, 'DHAARA_TOPIC_REPLACED', new RegExp(`${app}\\.in.*deleted and made again`))
      assert.deepEqual(await copies(), ['a', 'b'])
      const again = await failing(make(copying())).catch((found: unknown) => found)
      is(again, 'DHAARA_TOPIC_REPLACED', /dhaara reset/)
    })
  }

  for (const partitions of [1, 3]) {
    it(`a topic that was made anew while the app was down, with ${partitions} partitions`, async () => {
      await send('a', 'b')
      await runToEnd(copying())
      await log.deleteTopics([`${app}.in`])
      await log.createTopics([{ name: `${app}.in`, partitions, configs: {} }])
      await send('c', 'd', 'e')
      const error = await failing(make(copying())).catch((found: unknown) => found)
      is(error, 'DHAARA_TOPIC_REPLACED', new RegExp(`${app}\\.in.*dhaara reset`))
      assert.deepEqual(await copies(), ['a', 'b'])
    })
  }

  it('a sink that is deleted under the app ends it; with the topic there again it goes on', async () => {
    await send('a')
    const running = make(copying())
    await running.start()
    await committed(running)
    await log.deleteTopics([`${app}.out`])
    await send('b')
    const error = await running.completed.catch((found: unknown) => found)
    await running.close()
    is(error, 'DHAARA_TOPIC_UNKNOWN', new RegExp(`${app}\\.out`))
    await create('out')
    await runToEnd(copying())
    assert.deepEqual(await copies(), ['b'])
  })

  for (const workers of [0, 2]) {
    it(`an app that fails leaves no transaction open, for which readers would wait: ${workers} workers`, async () => {
      const [input, output] = [`${app}.in`, `${app}.out`]
      const topology =
        workers === 0 ? failingTopology(input, output) : new URL('../children/failing.ts', import.meta.url)
      const running = new StreamsApp({
        applicationId: app,
        broker: kafkaBroker({ brokers: [`localhost:${node.port}`] }),
        topology,
        ...(workers === 0 ? {} : { workers, settings: { input, output } }),
        stateDir: dir,
        checkpointInterval: '1s',
      } as AppOptions as never)
      try {
        await running.start()
        // a transaction is opened ahead of each epoch's end, and outputs of that size leave before it
        const feeding = send('x'.repeat(900_000), 'y'.repeat(900_000), 'bad')
        await assert.rejects(running.completed, /not this one/)
        await feeding
      } finally {
        await running.close()
      }
      assert.deepEqual(
        (await log.openTransactions()).filter((id) => id.startsWith(app)),
        [],
      )
    })
  }

  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    it(`a bit that was flipped on the broker's disk is told of, and the record read when it is mended: ${compression}`, async () => {
      const writer = log.writer({ compression })
      await writer.init()
      for (const value of ['whole'.repeat(50), 'broken'.repeat(50)]) {
        await writer.send(`${app}.in`, 0, textRows([value], 'k'))
      }
      await writer.close()
      const segment = join(cluster.dir, `node-${node.id}`, 'logs', `${app}.in-0`)
      const name = readdirSync(segment).find((one) => one.endsWith('.log')) as string
      const flip = async (): Promise<void> => {
        const file = await open(join(segment, name), 'r+')
        const { size } = await file.stat()
        const byte = Buffer.alloc(1)
        await file.read(byte, 0, 1, size - 5)
        ;(byte[0] as number) ^= 8
        await file.write(byte, 0, 1, size - 5)
        await file.close()
      }
      await flip()
      const error = await failing(make(copying())).catch((found: unknown) => found)
      is(error, 'DHAARA_KAFKA_CORRUPT', new RegExp(`${app}\\.in.*offset 1.*checksum`))
      await flip()
      await runToEnd(copying())
      assert.deepEqual(await copies(), ['whole'.repeat(50), 'broken'.repeat(50)])
    })
  }
})
