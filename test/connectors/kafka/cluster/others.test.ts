import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/connectors/kafka/index.ts'
import { codecs } from '../../../../src/connectors/kafka/wire/compression.ts'
import { kafka, unique } from '../broker.ts'
import { type Row, rowAt, rowsOf } from '../rows.ts'
import { readBatches } from './read.ts'

const count = 300
const rows: Row[] = Array.from({ length: count }, (_, i) => ({
  key: Buffer.from(`key-${i}`),
  value: Buffer.from(`value-${i} ${'x'.repeat(i)}`),
  timestamp: 1_700_000_000_000 + i,
  headers: i % 5 === 0 ? [['h', Buffer.from(`header-${i}`)]] : undefined,
}))
const lineOf = ({ key, value }: Pick<Row, 'key' | 'value'>): string => `${key?.toString()}|${value?.toString()}`
const lines = rows.map(lineOf)

/** Debian's package of that name: librdkafka's own tool. */
const kcat = process.env['DHAARA_KCAT'] ?? 'kcat'

describe('beside other clients', () => {
  let brokers: string
  let log: RemoteLog
  const made: string[] = []

  before(async () => {
    brokers = (await kafka()).join(',')
    log = await kafkaBroker({ brokers: brokers.split(',') })[remote]()
  })
  after(async () => {
    await log.deleteTopics(made)
    await log.release()
  })

  async function topic(what: string): Promise<string> {
    const name = unique(what)
    made.push(name)
    await log.createTopics([{ name, partitions: 1, configs: {} }])
    return name
  }

  /** In a transaction, behind one that was taken back. */
  async function write(name: string, compression: (typeof codecs)[number]): Promise<void> {
    const writer = log.writer({ compression, transactionalId: unique('tx') })
    await writer.init()
    await writer.send(name, 0, rowsOf(rows.slice(0, 10)))
    await writer.abort()
    await writer.send(name, 0, rowsOf(rows))
    await writer.commit([], undefined)
    assert.deepEqual(await read(name), lines)
  }

  const read = async (name: string): Promise<string[]> =>
    (await readBatches(log, name, 0)).flatMap((batch) =>
      Array.from({ length: batch.count }, (_, i) => lineOf(rowAt(batch, i))),
    )

  for (const compression of ['none', 'gzip'] as const) {
    it(`reads what kafkajs writes, and the reverse: ${compression}`, async () => {
      const client = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING })
      const producer = client.producer({ createPartitioner: () => () => 0 })
      await producer.connect()
      const theirs = await topic('kafkajs')
      await producer.send({
        topic: theirs,
        compression: compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
        messages: rows.map(({ key, value, timestamp }) => ({
          key: key as Buffer,
          value: value as Buffer,
          timestamp: String(timestamp),
        })),
      })
      await producer.disconnect()
      assert.deepEqual(await read(theirs), lines)
      const ours = await topic('ours')
      await write(ours, compression)
      const consumer = client.consumer({ groupId: unique('group') })
      await consumer.connect()
      await consumer.subscribe({ topic: ours, fromBeginning: true })
      const found: string[] = []
      await new Promise<void>((resolve, reject) => {
        consumer
          .run({
            async eachMessage({ message }) {
              found.push(lineOf(message as Pick<Row, 'key' | 'value'>))
              if (found.length === count) resolve()
            },
          })
          .catch(reject)
      })
      await consumer.disconnect()
      assert.deepEqual(found, lines)
    }).timeout(60_000)
  }

  for (const codec of codecs) {
    it(`reads what librdkafka writes, and the reverse: ${codec}`, async function () {
      // no kcat on the PATH: apt-get install kcat
      if (spawnSync(kcat, ['-V']).status !== 0 && process.env['CI'] === undefined) this.skip()
      const theirs = await topic('kcat')
      const input = `${lines.join('\n')}\n`
      const wrote = spawnSync(kcat, ['-b', brokers, '-t', theirs, '-P', '-K', '|', '-z', codec], {
        input,
        encoding: 'utf8',
      })
      assert.equal(wrote.status, 0, wrote.stderr)
      assert.deepEqual(await read(theirs), lines)
      const ours = await topic('ours')
      await write(ours, codec)
      const args = [
        '-b',
        brokers,
        '-t',
        ours,
        '-C',
        '-e',
        '-q',
        '-f',
        '%k|%s\\n',
        '-X',
        'isolation.level=read_committed',
      ]
      const found = spawnSync(kcat, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
      assert.equal(found.status, 0, found.stderr)
      assert.deepEqual(found.stdout.trimEnd().split('\n'), lines)
    }).timeout(60_000)
  }
})
