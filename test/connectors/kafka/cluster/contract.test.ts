import assert from 'node:assert/strict'
import {
  type RemoteBroker,
  type RemoteLog,
  type RemoteMember,
  remote,
} from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/connectors/kafka/index.ts'
import { serdes } from '../../../../src/dsl/serdes/index.ts'
import { kafka, unique } from '../broker.ts'
import { textRows } from '../rows.ts'
import { readAll } from './read.ts'

const code = (expected: string) => (error: { code?: string }) => error.code === expected

for (const [client, apart] of [
  ['platformatic', false],
  ['kafkajs', false],
  ['platformatic', true],
] as const) {
  describe(`Kafka over ${client}${apart ? ', the client in a thread of its own' : ''}`, () => {
    let broker: RemoteBroker
    let log: RemoteLog
    let topic: string

    before(async () => {
      broker = kafkaBroker({ brokers: await kafka(), client })
      log = await broker[remote]({ apart })
    })
    after(() => log.release())
    beforeEach(async () => {
      topic = unique('contract')
      await log.createTopics([{ name: topic, partitions: 2, configs: { 'cleanup.policy': 'compact' } }])
    })
    afterEach(() => log.deleteTopics([topic]))

    it('makes, finds, describes and deletes topics', async () => {
      assert.deepEqual(
        (await log.describe([topic, 'no-such-topic'])).map(({ name, partitions }) => ({ name, partitions })),
        [{ name: topic, partitions: 2 }],
      )
      assert.equal((await log.configs(topic))['cleanup.policy'], 'compact')
      assert.ok((await log.topics()).some(({ name }) => name === topic))
      const [before] = await log.describe([topic])
      await log.createTopics([{ name: topic, partitions: 2, configs: {} }])
      assert.equal((await log.describe([topic]))[0]?.id, before?.id)
      await log.deleteTopics([topic, 'no-such-topic'])
      assert.deepEqual(await log.describe([topic]), [])
    })

    it('makes topics anew as soon as they are deleted', async () => {
      const names = Array.from({ length: 4 }, (_, i) => `${topic}-${i}`)
      for (let times = 0; times < 3; times++) {
        await log.createTopics(names.map((name) => ({ name, partitions: 2, configs: {} })))
        assert.equal((await log.describe(names)).length, names.length)
        await log.deleteTopics(names)
      }
    })

    it('names what is wrong with a topic that it cannot make', async () => {
      await assert.rejects(
        log.createTopics([{ name: unique('bad'), partitions: 1, configs: { 'cleanup.policy': 'never' } }]),
        (error: Error & { code?: string }) =>
          error.code === 'DHAARA_KAFKA_REQUEST' && /cleanup.policy/.test(error.message),
      )
    })

    it('carries keys, values, headers and times of users, tombstones and null keys', async () => {
      const options = { key: serdes.string(), value: serdes.json<{ n: number }>() }
      {
        await using producer = broker.producer<string, { n: number }>(topic, options)
        await Promise.all([
          producer.send({ key: 'a', value: { n: 1 }, timestamp: 1000, headers: { h: 'x' }, partition: 0 }),
          producer.send({ key: 'a', value: null, timestamp: 2000, partition: 0 }),
        ])
      }
      const read: unknown[] = []
      for await (const record of broker.consumer<string, { n: number }>(topic, options)) {
        read.push(record)
        if (read.length === 2) break
      }
      assert.deepEqual(read, [
        { key: 'a', value: { n: 1 }, timestamp: 1000, headers: { h: 'x' } },
        { key: 'a', value: null, timestamp: 2000, headers: {} },
      ])
    })

    it('refuses a record that is larger than the topic takes, and goes on', async () => {
      const writer = log.writer()
      await writer.init()
      await assert.rejects(
        writer.send(topic, 0, textRows(['x'.repeat(2_000_000)], 'k')),
        code('DHAARA_RECORD_TOO_LARGE'),
      )
      await writer.abort()
      await writer.init()
      await writer.send(topic, 0, textRows(['small'], 'k'))
      assert.deepEqual(await readAll(log, topic, 0), ['small'])
    })

    it('writes many batches in order, several under way', async () => {
      const writer = log.writer({ compression: 'lz4' })
      await writer.init()
      const texts = Array.from({ length: 400 }, (_, i) => Array.from({ length: 10 }, (_, j) => `${i}-${j}`))
      const offsets = await Promise.all(texts.map((rows) => writer.send(topic, 1, textRows(rows, 'k'))))
      assert.deepEqual(
        offsets,
        texts.map((_, i) => i * 10),
      )
      assert.deepEqual(await readAll(log, topic, 1), texts.flat())
    })

    it('finds positions: earliest, latest, by time, after purging', async () => {
      const writer = log.writer()
      await writer.init()
      for (const time of [1000, 2000, 3000]) await writer.send(topic, 0, textRows([`${time}`], 'k', time))
      const where = [
        { topic, partition: 0 },
        { topic, partition: 1 },
      ]
      assert.deepEqual(await log.offsets(where, 'latest'), [3, 0])
      assert.deepEqual(await log.offsets(where, 1500), [1, 0])
      assert.deepEqual(await log.offsets(where, 9999), [3, 0])
      await log.deleteTopics([topic])
      await assert.rejects(log.offsets(where, 'earliest'), code('DHAARA_TOPIC_UNKNOWN'))
    })

    it('fences the writer before it, and what that one left open is gone', async () => {
      const transactionalId = unique('tx')
      const [old, young] = [log.writer({ transactionalId }), log.writer({ transactionalId })]
      await old.init()
      await old.send(topic, 0, textRows(['old'], 'k'))
      await young.init()
      await assert.rejects(old.commit([], undefined), code('DHAARA_KAFKA_FENCED'))
      await young.send(topic, 0, textRows(['young'], 'k'))
      await young.commit([], undefined)
      assert.deepEqual(await readAll(log, topic, 0), ['young'])
    })

    it('commits positions with records, for a member of the present generation alone', async () => {
      const group = unique('group')
      const where = [{ topic, partition: 0 }]
      const [one, two] = [member(group), member(group)]
      await one.join()
      const writer = log.writer({ transactionalId: unique('tx') })
      await writer.init()
      await writer.send(topic, 0, textRows(['a'], 'k'))
      await writer.commit([{ topic, partition: 0, offset: 7 }], one.membership)
      assert.deepEqual(await log.groupOffsets(group, where), [7])
      const stale = one.membership
      const [again] = [one.rebalance.then(() => one.join())]
      await Promise.all([two.join(), again])
      await writer.send(topic, 0, textRows(['b'], 'k'))
      await assert.rejects(writer.commit([{ topic, partition: 0, offset: 8 }], stale), code('DHAARA_KAFKA_FENCED'))
      await writer.abort()
      assert.deepEqual(await log.groupOffsets(group, where), [7])
      assert.deepEqual(await readAll(log, topic, 0), ['a'])
      await Promise.all([one.leave(), two.leave()])
      await log.deleteGroup(group)
    })

    it('tells each member what the leader says, and the leader what each member says', async () => {
      const group = unique('group')
      const [one, two] = [member(group, 'one'), member(group, 'two')]
      assert.equal((await one.join()).toString(), 'for one of 1')
      const rejoined = one.rebalance.then(() => one.join())
      assert.deepEqual((await Promise.all([rejoined, two.join()])).map(String).sort(), ['for one of 2', 'for two of 2'])
      await two.leave()
      await one.rebalance
      assert.equal((await one.join()).toString(), 'for one of 1')
      await one.leave()
    })

    it('says so where nobody listens, and where the listener wants no SASL', async () => {
      const closed = kafkaBroker({ brokers: ['127.0.0.1:1'], client })
      await assert.rejects(closed[remote](), code('DHAARA_KAFKA_CONNECT'))
      const sasl = { mechanism: 'plain', username: 'u', password: 'p' } as const
      const refused = kafkaBroker({ brokers: await kafka(), client, sasl })
      await assert.rejects(refused[remote](), code('DHAARA_KAFKA_AUTH'))
    })

    const member = (group: string, name = ''): RemoteMember =>
      log.member({
        group,
        topics: [topic],
        userData: () => Buffer.from(name),
        assign: async (members) =>
          members.map(({ member: id, userData }) => ({
            member: id,
            partitions: [],
            userData: Buffer.from(`for ${userData} of ${members.length}`),
          })),
      })
  })
}
