import assert from 'node:assert/strict'
import { partitionOf } from '../../../../src/connectors/broker/partitioner.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/connectors/kafka/index.ts'
import { codecs } from '../../../../src/connectors/kafka/wire/compression.ts'
import { kafka, unique } from '../broker.ts'
import { java } from '../java/interop.ts'
import { type Row, rowAt, rowsOf } from '../rows.ts'
import { readBatches } from './read.ts'

const partitions = 3
const count = 300

const text = (bytes: Uint8Array | null): string => (bytes === null ? 'null' : Buffer.from(bytes).toString())
const lineOf = (topic: string, partition: number, { key, value, timestamp, headers }: Row): string =>
  [topic, partition, timestamp, text(key), text(value), text(headers?.[0]?.[1] ?? null)].join('|')

const sentByJava = (i: number): Row => ({
  key: i % 10 === 9 ? null : Buffer.from(`key-${i}`),
  value: i % 7 === 6 ? null : Buffer.from(`value-${i}`),
  timestamp: 1000 + i,
  headers: i % 5 === 0 ? [['h', Buffer.from(`header-${i}`)]] : undefined,
})

const rows = Array.from({ length: count }, (_, i) => sentByJava(i))

describe("beside Java's client", () => {
  let brokers: string
  let log: RemoteLog

  before(async () => {
    brokers = (await kafka()).join(',')
    log = await kafkaBroker({ brokers: brokers.split(',') })[remote]()
  })
  after(() => log.release())

  it('reads what it writes, in its partitions, with all codecs', async () => {
    const topics = codecs.map((codec) => [unique('java'), codec] as const)
    await log.createTopics(topics.map(([name]) => ({ name, partitions, configs: {} })))
    java('produce', brokers, String(count), ...topics.map((one) => one.join(':')))
    const expected = rows.map((row) => lineOf('', 0, row)).sort()
    for (const [topic, codec] of topics) {
      const found: string[] = []
      for (let partition = 0; partition < partitions; partition++) {
        for (const batch of await readBatches(log, topic, partition)) {
          for (let i = 0; i < batch.count; i++) {
            const row = rowAt(batch, i)
            found.push(lineOf('', 0, row))
            if (row.key !== null) assert.equal(partition, partitionOf(row.key, partitions), text(row.key))
          }
        }
      }
      assert.deepEqual(found.sort(), expected, codec)
    }
    await log.deleteTopics(topics.map(([name]) => name))
  }).timeout(60_000)

  it('writes what it reads, read committed, with all codecs', async () => {
    const topics = codecs.map((codec) => [unique('ours'), codec] as const)
    await log.createTopics(topics.map(([name]) => ({ name, partitions, configs: {} })))
    const placed = Map.groupBy(rows, ({ key }) => (key === null ? 0 : partitionOf(key, partitions)))
    const expected: string[] = []
    for (const [topic, compression] of topics) {
      const writer = log.writer({ compression, transactionalId: unique('tx') })
      await writer.init()
      await writer.send(topic, 0, rowsOf(rows.slice(0, 10)))
      await writer.abort()
      for (const [partition, own] of placed) {
        await writer.send(topic, partition, rowsOf(own))
        expected.push(...own.map((row) => lineOf(topic, partition, row)))
      }
      await writer.commit([], undefined)
      // Until the end of the transaction is written, Java reads nothing of it.
      await readBatches(log, topic, 0)
    }
    const read = java('consume', brokers, String(partitions), ...topics.map(([name]) => name))
    const found = read.trim().split('\n')
    // The last column is the offset, which depends on the markers of transactions.
    assert.deepEqual(found.map((line) => line.slice(0, line.lastIndexOf('|'))).sort(), expected.sort())
    await log.deleteTopics(topics.map(([name]) => name))
  }).timeout(60_000)
})
