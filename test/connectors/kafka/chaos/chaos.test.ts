import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { bootstrapOf, startCluster, stopCluster } from '../../../../scripts/kafka/cluster.ts'
import { nodeUp, startNode, stopNode } from '../../../../scripts/kafka/node.ts'
import type { ClusterSpec, NodeSpec } from '../../../../scripts/kafka/spec.ts'
import { remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { unique } from '../broker.ts'
import { Proxy } from '../proxy.ts'
import { counting, type Order } from './counting.ts'
import type { Instance } from './instance.ts'
import { Trial } from './trial.ts'

const faults = Number(process.env['DHAARA_CHAOS'] ?? 20)
const seed = Number(process.env['DHAARA_SEED'] ?? Date.now() % 1_000_000)
const client = process.env['DHAARA_CHAOS_CLIENT'] === 'kafkajs' ? 'kafkajs' : 'platformatic'
const kind = { nodes: 3, proxied: true } as const
/** Of the instances' members, and a while longer. */
const beyondSession = 4500

/** Numbers that a seed gives again. */
function randomOf(from: number): (below: number) => number {
  let state = from
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

describe('three instances on three brokers', () => {
  let cluster: ClusterSpec
  const proxies: Proxy[] = []

  before(async function () {
    this.timeout(600_000)
    cluster = await startCluster(kind)
    for (const { proxied } of cluster.nodes) {
      const { port, advertised } = proxied as NonNullable<NodeSpec['proxied']>
      proxies.push(await Proxy.listen(advertised, port))
    }
  })
  after(async function () {
    this.timeout(60_000)
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]()
    await stopCluster(kind)
  })

  it('read and write on where the broker that leads their partitions goes, and comes back', async () => {
    const brokers = bootstrapOf(cluster)
    const broker = kafkaBroker({ brokers })
    const log = await broker[remote]()
    const app = unique('leader')
    const dir = await mkdtemp(join(tmpdir(), 'dhaara-leader-'))
    const [input, output] = [`${app}.orders`, `${app}.copies`]
    await log.createTopics([input, output, `${app}.counts`].map((name) => ({ name, partitions: 1, configs: {} })))
    const running = new StreamsApp({ applicationId: app, broker, topology: counting(app).topology, stateDir: dir })
    await running.start()
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const leaders = async (): Promise<number[]> => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [input, output] })
      return topics.flatMap(({ partitions }) => partitions.map(({ leader }) => leader))
    }
    let sent = 0
    const send = async (count: number): Promise<void> => {
      await using producer = broker.producer(input, { key: serdes.string(), value: serdes.json<Order>() })
      for (const end = sent + count; sent < end; sent++)
        void producer.send({ key: String(sent), value: { n: sent, city: 'Pune' } })
    }
    const stop = new AbortController()
    const copies = broker
      .consumer(output, { value: serdes.json<number>(), signal: stop.signal })
      [Symbol.asyncIterator]()
    const seen: number[] = []
    const allSeen = async (): Promise<void> => {
      while (seen.length < sent) seen.push((await copies.next()).value.value as number)
    }
    await send(500)
    await allSeen()
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const leader of new Set(await leaders())) {
        const node = cluster.nodes.find(({ id }) => id === leader) as NodeSpec
        await stopNode(cluster, node, signal)
        await send(500)
        await allSeen()
        assert.ok(!(await leaders()).includes(leader))
        startNode(cluster, node)
        await nodeUp(cluster, node)
      }
    }
    stop.abort()
    // with ZooKeeper one that is back is among the brokers when its session before has ended
    while ((await admin.describeCluster()).brokers.length < cluster.nodes.length) await delay(100)
    await admin.disconnect()
    await running.close()
    assert.deepEqual(seen, [...seen.keys()])
    await log.release()
    await rm(dir, { recursive: true, force: true })
  }).timeout(600_000)

  it(`have each effect exactly once, whatever befalls them (${faults} faults, seed ${seed}, ${client})`, async () => {
    const random = randomOf(seed)
    const brokers = cluster.nodes.map(({ proxied }) => `127.0.0.1:${proxied?.advertised}`)
    // the fourth comes and goes
    const workers = [0, 2, 0, 1]
    await using trial = await Trial.make({ brokers, direct: bootstrapOf(cluster), client, workers })
    trial.start(3)
    const anyone = (): Instance => trial.instances[random(3)] as Instance
    const kinds: Record<string, () => Promise<void>> = {
      async kill() {
        const one = anyone()
        await one.end('SIGKILL')
        one.start()
      },
      async sleep() {
        const one = anyone()
        one.stop()
        await delay(beyondSession)
        one.wake()
      },
      async broker() {
        const node = cluster.nodes[random(3)] as NodeSpec
        await stopNode(cluster, node, 'SIGKILL')
        await delay(1000)
        startNode(cluster, node)
        await nodeUp(cluster, node)
      },
      async cut() {
        const proxy = proxies[random(3)] as Proxy
        proxy.cut()
        await delay(2000)
        proxy.heal()
      },
      async disk() {
        anyone().fillDisk()
      },
      async rebalances() {
        const one = trial.instances[3] as Instance
        one.start()
        await delay(1500 + random(1500))
        const other = anyone()
        await Promise.all([one.end('SIGTERM'), other.end('SIGTERM')])
        other.start()
      },
    }
    const names = Object.keys(kinds)
    const done: string[] = []
    try {
      // each kind in turn, in another order each time
      for (let left: string[] = []; done.length < faults; ) {
        if (left.length === 0) left = [...names]
        const [name = 'kill'] = left.splice(random(left.length), 1)
        done.push(name)
        await kinds[name]?.()
        await delay(500 + random(2000))
      }
      await trial.verify()
    } catch (error) {
      if (error instanceof Error) error.message += `\nseed ${seed}, faults: ${done.join(', ')}`
      throw error
    }
  }).timeout(300_000 + faults * 30_000)
})
