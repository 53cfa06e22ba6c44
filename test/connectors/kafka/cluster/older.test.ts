import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FetchedBatch } from '../../../../src/connectors/broker/log.ts'
import { type RemoteLog, type RemoteReader, remote } from '../../../../src/connectors/broker/remote.ts'
import * as apis from '../../../../src/connectors/kafka/wire/apis.ts'
import { fetch } from '../../../../src/connectors/kafka/wire/fetch.ts'
import { kafkaError } from '../../../../src/connectors/kafka/wire/errors.ts'
import { produce } from '../../../../src/connectors/kafka/wire/produce.ts'
import { Reader } from '../../../../src/connectors/kafka/wire/reader.ts'
import { encodeRequest } from '../../../../src/connectors/kafka/wire/schema.ts'
import { StreamsApp } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { counting } from '../counting-topology.ts'
import { kafka28, type Newest, type Older, older } from '../older.ts'
import { textRows, valuesOf } from '../rows.ts'
import { readAll } from './read.ts'

const code = (expected: string) => (error: { code?: string }) => error.code === expected
const withoutIds: Newest = new Map([...kafka28, [apis.metadata.key, 9]])
const profiles: Readonly<Record<string, Newest>> = {
  'Apache Kafka 2.8': kafka28,
  'a cluster that gives topics no ids': withoutIds,
}

for (const [name, newest] of Object.entries(profiles)) {
  describe(`asked as ${name}`, () => {
    let old: Older
    let log: RemoteLog
    let app: string
    let dir: string
    const [input, output] = [() => `${app}.in`, () => `${app}.out`]

    beforeEach(async () => {
      old = await older(await kafka(), newest)
      log = await old.broker[remote]()
      app = unique('older')
      dir = await mkdtemp(join(tmpdir(), 'dhaara-older-'))
      await log.createTopics([input(), output()].map((topic) => ({ name: topic, partitions: 1, configs: {} })))
    })
    afterEach(async () => {
      await log.deleteTopics((await log.topics()).map((topic) => topic.name).filter((topic) => topic.startsWith(app)))
      await log.release()
      await old.cluster.close()
      await rm(dir, { recursive: true, force: true })
    })

    async function write(...values: string[]): Promise<void> {
      const writer = log.writer()
      await writer.init()
      await writer.send(input(), 0, textRows(values, 'k'))
      await writer.close()
    }

    it('transactions are committed, aborted, fenced and read', async () => {
      const group = unique('group')
      const membership = { group, generation: -1, member: '', instance: null }
      const position = { topic: input(), partition: 0 }
      const transactionalId = unique('tx')
      const writer = log.writer({ transactionalId })
      await writer.init()
      for (const [i, value] of ['a', 'b', 'c', 'd'].entries()) {
        writer.open(group)
        await writer.send(output(), 0, textRows([value]))
        if (i % 2 === 0) await writer.commit([{ ...position, offset: i }], membership)
        else await writer.abort()
      }
      await writer.send(output(), 0, textRows(['zombie']))
      const young = log.writer({ transactionalId })
      await young.init()
      await assert.rejects(writer.commit([{ ...position, offset: 9 }], membership), code('DHAARA_KAFKA_FENCED'))
      await young.send(output(), 0, textRows(['e']))
      await young.commit([], undefined)
      assert.deepEqual(await readAll(log, output(), 0), ['a', 'c', 'e'])
      assert.deepEqual(await log.groupOffsets(group, [position]), [2])
      const { initProducerId, addPartitionsToTxn, addOffsetsToTxn, txnOffsetCommit, endTxn, metadata } = apis
      for (const { key, name: what } of [
        fetch,
        produce,
        metadata,
        initProducerId,
        addPartitionsToTxn,
        addOffsetsToTxn,
        txnOffsetCommit,
        endTxn,
      ])
        assert.deepEqual(old.asked(key), [newest.get(key)], what)
    })

    it('an app counts each record once, across its instances', async () => {
      const make = (where: string): StreamsApp =>
        new StreamsApp({
          applicationId: app,
          broker: old.broker,
          topology: counting(app),
          stateDir: join(dir, where),
        })
      for (const where of ['one', 'two', 'one']) {
        await write('x', 'x')
        await using running = make(where)
        await running.start()
        running.endInputs()
        await running.completed
      }
      const counts = await readAll(log, output(), 0)
      assert.equal(counts.at(-1), '6')
      assert.deepEqual(counts, [...new Set(counts)])
      assert.deepEqual(old.asked(fetch.key), [12])
    })

    /** Until there is something, or it fails. */
    async function takeNext(reader: RemoteReader, offset: number): Promise<FetchedBatch> {
      for (;;) {
        const batch = reader.take(input(), 0, offset)
        if (batch !== undefined) return batch
        await delay(10)
      }
    }

    it('a position that a topic does not have is told of', async () => {
      const reader = log.reader()
      reader.add(input(), 0, 7)
      await assert.rejects(takeNext(reader, 7), code('DHAARA_KAFKA_OFFSET'))
      await reader.close()
    })

    it('a topic that was made anew under a reader that was full is no other’s continuation, where there are ids', async () => {
      await write('a', 'b')
      const reader = log.reader()
      reader.add(input(), 0, 0)
      assert.deepEqual(valuesOf(await takeNext(reader, 0)), ['a', 'b'])
      reader.pause(input(), 0)
      while (old.waiting(fetch.key) > 0) await delay(10)
      // by somebody else: nothing is asked on these connections, and none is lost
      const { broker, cluster } = await older(await kafka(), newest)
      const theirs = await broker[remote]()
      await theirs.deleteTopics([input()])
      await theirs.createTopics([{ name: input(), partitions: 1, configs: {} }])
      const writer = theirs.writer()
      await writer.init()
      await writer.send(input(), 0, textRows(['c', 'd', 'e']))
      await cluster.close()
      reader.resume(input(), 0)
      if (newest === kafka28) await assert.rejects(takeNext(reader, 2), code('DHAARA_TOPIC_REPLACED'))
      // which topic it is cannot be known: docs/kafka.md says so
      else assert.deepEqual(valuesOf(await takeNext(reader, 2)), ['e'])
      await reader.close()
    })

    it('whether topics have ids is said when an app starts', async () => {
      const said: string[] = []
      const add = (_: object, text = ''): void => void said.push(text)
      await using running = new StreamsApp({
        applicationId: app,
        broker: old.broker,
        topology: counting(app),
        stateDir: dir,
        logger: { debug() {}, info() {}, warn: add, error: add },
      })
      await running.start()
      assert.equal(said.filter((text) => /no ids/.test(text)).length, newest === kafka28 ? 0 : 1)
    })
  })
}

it('an app goes on where its cluster begins to give topics ids, and where some brokers give none yet', async () => {
  const app = unique('older')
  const [input, output] = [`${app}.in`, `${app}.out`]
  const dir = await mkdtemp(join(tmpdir(), 'dhaara-older-'))
  const first = await older(await kafka(), withoutIds)
  const log = await first.broker[remote]()
  const make = (): Promise<void> =>
    log.createTopics([input, output].map((name) => ({ name, partitions: 1, configs: {} })))
  const writer = log.writer()
  await make()
  await writer.init()
  const run = async (newest: Newest): Promise<void> => {
    const { broker, cluster } = await older(await kafka(), newest)
    try {
      await writer.send(input, 0, textRows(['x'], 'k'))
      await using running = new StreamsApp({ applicationId: app, broker, topology: counting(app), stateDir: dir })
      await running.start()
      running.endInputs()
      await running.completed
    } finally {
      await cluster.close()
    }
  }
  for (const newest of [withoutIds, kafka28, withoutIds, kafka28]) await run(newest)
  assert.deepEqual(await readAll(log, output, 0), ['1', '2', '3', '4'])
  // which one it is, is known since there are ids
  await log.deleteTopics([input])
  await make()
  await assert.rejects(run(kafka28), code('DHAARA_TOPIC_REPLACED'))
  await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
  await log.release()
  await first.cluster.close()
  await rm(dir, { recursive: true, force: true })
})

it('a leader that has not heard of a topic yet is asked again', async () => {
  const late = new Set<number>([apis.listOffsets.key, fetch.key])
  const says = { error: kafkaError.unknownTopic }
  const old = await older(await kafka(), kafka28, (key, version, answer) => {
    // its first answer of each kind
    if (!late.delete(key)) return answer
    if (key === fetch.key) {
      const { topics, ...rest } = fetch.response.read(new Reader(answer), version)
      const denied = topics.map((one) => ({
        ...one,
        partitions: one.partitions.map((partition) => ({ ...partition, ...says, records: null })),
      }))
      return encodeRequest({ ...fetch, request: fetch.response }, { ...rest, topics: denied }, version)
    }
    const { topics, ...rest } = apis.listOffsets.response.read(new Reader(answer), version)
    const denied = topics.map((one) => ({
      ...one,
      partitions: one.partitions.map((partition) => ({ ...partition, ...says })),
    }))
    const api = { ...apis.listOffsets, request: apis.listOffsets.response }
    return encodeRequest(api, { ...rest, topics: denied }, version)
  })
  const log = await old.broker[remote]()
  const topic = unique('older')
  await log.createTopics([{ name: topic, partitions: 1, configs: {} }])
  const writer = log.writer()
  await writer.init()
  await writer.send(topic, 0, textRows(['a']))
  assert.deepEqual(await readAll(log, topic, 0), ['a'])
  assert.equal(late.size, 0)
  await log.deleteTopics([topic])
  await assert.rejects(log.offsets([{ topic, partition: 0 }], 'latest'), code('DHAARA_TOPIC_UNKNOWN'))
  await log.release()
  await old.cluster.close()
})

it('a broker that has just started, and knows of none, is not believed that topics are gone', async () => {
  let unknowing = 0
  const old = await older(await kafka(), kafka28, (key, version, answer) => {
    if (key !== apis.metadata.key || unknowing === 0) return answer
    unknowing--
    const whole = apis.metadata.response.read(new Reader(answer), version)
    const topics = whole.topics.map((one) => ({ ...one, error: kafkaError.unknownTopic, partitions: [] }))
    const api = { ...apis.metadata, request: apis.metadata.response }
    return encodeRequest(api, { ...whole, brokers: [], controller: -1, topics }, version)
  })
  const log = await old.broker[remote]()
  const topic = unique('older')
  await log.createTopics([{ name: topic, partitions: 1, configs: {} }])
  unknowing = 2
  assert.equal((await log.describe([topic])).length, 1)
  assert.equal(unknowing, 0)
  await log.deleteTopics([topic])
  await log.release()
  await old.cluster.close()
})

describe('a broker that is too old', () => {
  for (const [what, newest, says] of [
    [
      'for Produce',
      new Map([...kafka28, [produce.key, 8]]),
      /speaks Produce \d to 8; version 9 is needed.*2\.8 or newer/,
    ],
    ['for Fetch', new Map([...kafka28, [fetch.key, 11]]), /speaks Fetch \d to 11; version 12 is needed.*2\.8 or newer/],
    ['to have groups', without(kafka28, apis.joinGroup.key), /does not know JoinGroup.*2\.8 or newer/],
  ] as const) {
    it(`is refused before anything is read or written: ${what}`, async () => {
      const { cluster } = await older(await kafka(), newest)
      await assert.rejects(cluster.refresh([]), { code: 'DHAARA_KAFKA_VERSION', message: says })
      await cluster.close()
    })
  }

  it('only for what is asked for now says so', async () => {
    const { cluster, broker } = await older(await kafka(), without(kafka28, apis.deleteRecords.key))
    const log = await broker[remote]()
    const topic = unique('older')
    await log.createTopics([{ name: topic, partitions: 1, configs: {} }])
    await assert.rejects(log.deleteRecords([{ topic, partition: 0, offset: 0 }]), code('DHAARA_KAFKA_VERSION'))
    assert.deepEqual(await log.openTransactions(), [])
    await cluster.close()
  })
})

function without(newest: Newest, key: number): Newest {
  const left = new Map(newest)
  left.delete(key)
  return left
}
