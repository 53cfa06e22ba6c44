import assert from 'node:assert/strict'
import { bootstrapOf, startCluster, stopCluster } from '../../../../scripts/kafka/cluster.ts'
import type { ClusterSpec, NodeSpec } from '../../../../scripts/kafka/spec.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { loadClient } from '../../../../src/connectors/kafka/client/index.ts'
import { KafkaCluster } from '../../../../src/connectors/kafka/cluster.ts'
import { kafkaBroker } from '../../../../src/connectors/kafka/index.ts'
import * as apis from '../../../../src/connectors/kafka/wire/apis.ts'
import { produce } from '../../../../src/connectors/kafka/wire/produce.ts'
import { KafkaWriter } from '../../../../src/connectors/kafka/writer.ts'
import { unique } from '../broker.ts'
import { newestTransactionVersion, setTransactionVersion } from '../features.ts'
import { Proxy } from '../proxy.ts'
import { textRows } from '../rows.ts'
import { readAll } from './read.ts'

const kind = { nodes: 1, proxied: true } as const
const partitions = 3
const code = (expected: string) => (error: { code?: string }) => error.code === expected
type Loss = 'cut' | 'cut before the answer'

/** A writer whose line can be cut, and what it says to the broker. */
interface Line extends AsyncDisposable {
  readonly writer: KafkaWriter
  readonly proxy: Proxy
  readonly cluster: KafkaCluster
  /** Versions of the requests with that number, in order. */
  versions(key: number): readonly number[]
  /** The next request with that number, or its answer, is lost with the line, which is there again at once. */
  lose(key: number, loss: Loss): void
}

describe('transactions', () => {
  let spec: ClusterSpec
  let node: NodeSpec
  let log: RemoteLog
  let topic: string
  let group: string

  before(async function () {
    this.timeout(120_000)
    spec = await startCluster(kind)
    node = spec.nodes[0] as NodeSpec
    log = await kafkaBroker({ brokers: bootstrapOf(spec) })[remote]()
  })
  after(async function () {
    this.timeout(60_000)
    await log?.release()
    await stopCluster(kind)
  })
  beforeEach(async () => {
    topic = unique('tx')
    group = unique('group')
    await log.createTopics([{ name: topic, partitions, configs: {} }])
  })

  async function line(transactionalId: string | undefined = unique('tx'), plain = false): Promise<Line> {
    const { port, advertised } = node.proxied as NonNullable<NodeSpec['proxied']>
    const proxy = await Proxy.listen(advertised, port)
    const seen: (readonly [number, number])[] = []
    let wanted: readonly [number, Loss] | undefined
    proxy.watch = (bytes) => {
      const key = bytes.length < 8 ? -1 : bytes.readInt16BE(4)
      seen.push([key, bytes.length < 8 ? -1 : bytes.readInt16BE(6)])
      if (key !== wanted?.[0]) return 'pass'
      const [, loss] = wanted
      wanted = undefined
      return loss
    }
    void proxy.broken.then(() => proxy.heal())
    const cluster = new KafkaCluster(await loadClient(undefined, { clientId: 'tx' }), [`127.0.0.1:${advertised}`])
    const writer = new KafkaWriter(cluster, plain ? {} : { transactionalId })
    await writer.init()
    return {
      writer,
      proxy,
      cluster,
      versions: (key) => seen.filter(([one]) => one === key).map(([, version]) => version),
      lose: (key, loss) => {
        wanted = [key, loss]
      },
      async [Symbol.asyncDispose]() {
        await writer.close()
        await cluster.close()
        await proxy[Symbol.asyncDispose]()
      },
    }
  }

  /** Several batches a partition at once, as many as a transaction begins with. */
  function sendAll({ writer }: Line, name: string, batches = 4): string[] {
    const values = Array.from({ length: batches }, (_, i) => `${name}-${i}`)
    for (const value of values)
      for (let p = 0; p < partitions; p++) writer.send(topic, p, textRows([value, `${value}'`])).catch(() => {})
    return values.flatMap((value) => [value, `${value}'`])
  }
  const commit = (one: Line, offset: number): Promise<void> =>
    one.writer.commit([{ topic, partition: 0, offset }], { group, generation: -1, member: '', instance: null })
  const position = async (): Promise<number | undefined> =>
    (await log.groupOffsets(group, [{ topic, partition: 0 }]))[0]

  async function written(expected: readonly string[]): Promise<void> {
    for (let p = 0; p < partitions; p++) assert.deepEqual(await readAll(log, topic, p), expected)
  }

  for (const level of [1, 2]) {
    describe(`of version ${level}`, () => {
      before(function () {
        if (level > newestTransactionVersion) this.skip()
        return setTransactionVersion(bootstrapOf(spec), level)
      })

      it('end whole, one after the other, committed or aborted, opened ahead or not', async () => {
        await using one = await line()
        const rows: string[] = []
        for (let n = 0; n < 30; n++) {
          if (n % 2 === 1) one.writer.open(n % 4 === 1 ? group : undefined)
          const sent = sendAll(one, String(n))
          if (n % 3 === 2) await one.writer.abort()
          else {
            await commit(one, n)
            rows.push(...sent)
          }
        }
        await written(rows)
        assert.equal(await position(), 28)
        assert.ok(one.versions(apis.endTxn.key).every((version) => (level === 1 ? version <= 4 : version >= 5)))
        assert.ok(one.versions(produce.key).every((version) => (level === 1 ? version <= 11 : version >= 12)))
        // a new epoch each time, instead of beginning anew
        assert.equal(one.versions(apis.initProducerId.key).length > 1, level === 1)
      })

      for (const loss of ['cut', 'cut before the answer'] as const) {
        const what = loss === 'cut' ? 'request' : 'answer'
        for (const api of [apis.endTxn, apis.txnOffsetCommit, produce, apis.addPartitionsToTxn, apis.addOffsetsToTxn]) {
          it(`are committed once where the ${what} of ${api.name} was lost`, async () => {
            await using one = await line()
            const before = sendAll(one, 'before')
            await commit(one, 1)
            one.lose(api.key, loss)
            const lost = sendAll(one, 'lost')
            await commit(one, 2)
            await one.proxy.broken
            const after = sendAll(one, 'after')
            await commit(one, 3)
            await written([...before, ...lost, ...after])
            assert.equal(await position(), 3)
          })
        }

        it(`are aborted where the ${what} of that was lost`, async () => {
          await using one = await line()
          const before = sendAll(one, 'before')
          await commit(one, 1)
          sendAll(one, 'aborted')
          await one.writer.flush()
          one.lose(apis.endTxn.key, loss)
          await one.writer.abort()
          await one.proxy.broken
          const after = sendAll(one, 'after')
          await commit(one, 3)
          await written([...before, ...after])
        })

        it(`are aborted with batches under way, of which the ${what} was lost`, async () => {
          await using one = await line()
          one.lose(produce.key, loss)
          sendAll(one, 'aborted')
          await one.writer.abort()
          const after = sendAll(one, 'after')
          await commit(one, 3)
          await written(after)
        })
      }

      it('are not needed: who writes without them goes on behind batches that were given up', async () => {
        await using one = await line(undefined, true)
        sendAll(one, 'before')
        await one.writer.flush()
        one.lose(produce.key, 'cut')
        sendAll(one, 'given up')
        await one.writer.abort()
        const after = sendAll(one, 'after')
        await one.writer.flush()
        for (let p = 0; p < partitions; p++) assert.deepEqual((await readAll(log, topic, p)).slice(-8), after)
      })

      it('of one who was fenced are refused, whatever it does', async () => {
        const id = unique('tx')
        await using old = await line(id)
        const before = sendAll(old, 'before')
        await commit(old, 1)
        sendAll(old, 'zombie')
        await old.writer.flush()
        const young = log.writer({ transactionalId: id })
        await young.init()
        await assert.rejects(commit(old, 7), code('DHAARA_KAFKA_FENCED'))
        await young.send(topic, 0, textRows(['young']))
        await young.commit([], undefined)
        assert.deepEqual(await readAll(log, topic, 0), [...before, 'young'])
        assert.equal(await position(), 1)
      })

      it('of one whose commit went through unheard, and who was fenced then, are there', async () => {
        const id = unique('tx')
        await using old = await line(id)
        const rows = sendAll(old, 'last')
        await old.writer.flush()
        const young = log.writer({ transactionalId: id })
        // the line stays cut until somebody else has begun
        old.proxy.heal = () => {}
        old.lose(apis.endTxn.key, 'cut before the answer')
        const ended = Promise.allSettled([commit(old, 5)])
        await old.proxy.broken
        await young.init()
        Proxy.prototype.heal.call(old.proxy)
        const [{ status }] = await ended
        assert.equal(status, 'rejected')
        await written(rows)
        assert.equal(await position(), 5)
      })

      it('that were opened are ended without anything in them', async () => {
        await using one = await line()
        const rows = sendAll(one, 'before')
        await commit(one, 1)
        one.writer.open(group)
        await one.writer.commit([], undefined)
        one.writer.open(group)
        await one.writer.abort()
        rows.push(...sendAll(one, 'after'))
        await commit(one, 2)
        await written(rows)
        assert.deepEqual(await log.openTransactions(), [])
      })

      it('are lost, and no more, where one was opened for a topic that is gone', async () => {
        await using one = await line()
        const gone = unique('gone')
        await log.createTopics([{ name: gone, partitions: 1, configs: {} }])
        await one.writer.send(gone, 0, textRows(['a']))
        const rows = sendAll(one, 'before')
        await commit(one, 1)
        await log.deleteTopics([gone])
        one.writer.open(group)
        sendAll(one, 'lost')
        await assert.rejects(commit(one, 2), code('DHAARA_KAFKA_FENCED'))
        await one.writer.init()
        one.writer.open(group)
        rows.push(...sendAll(one, 'after'))
        await commit(one, 3)
        await written(rows)
      })

      it('that the broker has given up are refused, and the next one goes well', async () => {
        await using one = await line()
        const short = new KafkaWriter(one.cluster, { transactionalId: unique('tx'), transactionTimeoutMs: 1000 })
        await short.init()
        await short.send(topic, 0, textRows(['late']))
        // its end is a record of its own
        while ((await log.offsets([{ topic, partition: 0 }], 'latest'))[0] === 0)
          await new Promise((next) => setTimeout(next, 100))
        await assert.rejects(short.commit([], undefined), code('DHAARA_KAFKA_FENCED'))
        await short.abort().catch(() => short.init())
        await short.send(topic, 0, textRows(['again']))
        await short.commit([], undefined)
        assert.deepEqual(await readAll(log, topic, 0), ['again'])
        await short.close()
      }).timeout(60_000)
    })
  }

  it('follow the version that the cluster agrees on while they go on', async function () {
    if (newestTransactionVersion < 2) this.skip()
    await setTransactionVersion(bootstrapOf(spec), 1)
    await using one = await line()
    const rows: string[] = []
    for (const [level, from] of [
      [1, 0],
      [2, 1],
      [1, 2],
      [2, 3],
    ] as const) {
      await setTransactionVersion(bootstrapOf(spec), level)
      // connections tell of it when they are made
      one.proxy.cut()
      one.proxy.heal()
      for (let n = 0; n < 4; n++) {
        rows.push(...sendAll(one, `${from}.${n}`))
        await commit(one, from * 10 + n)
      }
      const last = one.versions(apis.endTxn.key).at(-1) as number
      assert.equal(last >= 5, level === 2, `EndTxn ${last} at level ${level}`)
    }
    await written(rows)
    assert.equal(await position(), 33)
  })
})
