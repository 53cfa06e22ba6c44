import assert from 'node:assert/strict'
import { type RemoteLog, type RemoteWriter, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/connectors/kafka/index.ts'
import { kafka, unique } from '../broker.ts'
import { rowsOf, textRows } from '../rows.ts'
import { readAll } from './read.ts'

const texts = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

describe('read committed', () => {
  let log: RemoteLog
  let topic: string

  beforeEach(async () => {
    log = await kafkaBroker({ brokers: await kafka() })[remote]()
    topic = unique('committed')
    await log.createTopics([{ name: topic, partitions: 1, configs: {} }])
  })

  afterEach(async () => {
    await log.deleteTopics([topic])
    await log.release()
  })

  const producer = async (): Promise<RemoteWriter> => {
    const writer = log.writer({ transactionalId: unique('tx') })
    await writer.init()
    return writer
  }
  const commit = async (writer: RemoteWriter, rows: readonly string[]): Promise<void> => {
    await writer.send(topic, 0, textRows(rows))
    await writer.commit([], undefined)
  }
  const abort = async (writer: RemoteWriter, rows: readonly string[]): Promise<void> => {
    await writer.send(topic, 0, textRows(rows))
    await writer.abort()
  }
  const committed = () => readAll(log, topic, 0)

  it('leaves out an aborted transaction before a committed one', async () => {
    const writer = await producer()
    await abort(writer, texts('aborted', 5))
    await commit(writer, texts('ok', 5))
    assert.deepEqual(await committed(), texts('ok', 5))
  })

  it('leaves out several aborted ones of one producer, with committed ones between', async () => {
    const writer = await producer()
    const ok: string[] = []
    for (let i = 0; i < 3; i++) {
      await abort(writer, texts(`aborted${i}-`, 5))
      await commit(writer, texts(`ok${i}-`, 5))
      ok.push(...texts(`ok${i}-`, 5))
    }
    assert.deepEqual(await committed(), ok)
  })

  it('leaves out an aborted one that is larger than a fetch', async () => {
    const writer = await producer()
    const large = Array.from({ length: 6000 }, (_, i) => `${i}`.padEnd(1000, 'x'))
    await commit(writer, ['before'])
    await abort(writer, large)
    await commit(writer, ['after'])
    assert.deepEqual(await committed(), ['before', 'after'])
  })

  it('leaves out interleaved ones, whichever ends first', async () => {
    const [one, two] = [await producer(), await producer()]
    await one.send(topic, 0, textRows(texts('one', 5)))
    await two.send(topic, 0, textRows(texts('two', 5)))
    await one.send(topic, 0, textRows(texts('more', 5)))
    await two.abort()
    await one.abort()
    await commit(two, ['ok'])
    assert.deepEqual(await committed(), ['ok'])
  })

  it('does not take a record with the key of an abort marker for one', async () => {
    const writer = await producer()
    const rows = texts('aborted', 10).map((text) => ({
      key: Buffer.alloc(4),
      value: Buffer.from(text),
      timestamp: 1_700_000_000_000,
    }))
    for (const row of rows) await writer.send(topic, 0, rowsOf([row]))
    await writer.abort()
    await commit(writer, ['ok'])
    assert.deepEqual(await committed(), ['ok'])
  })

  it('leaves out every second of 100 transactions', async () => {
    const writer = await producer()
    const ok: string[] = []
    for (let i = 0; i < 100; i++) {
      const rows = texts(`${i}-`, 20)
      if (i % 2 === 0) await abort(writer, rows)
      else {
        await commit(writer, rows)
        ok.push(...rows)
      }
    }
    assert.deepEqual(await committed(), ok)
  })

  it('ends before an open transaction', async () => {
    const [open, other] = [await producer(), await producer()]
    await commit(other, ['before'])
    assert.deepEqual(await committed(), ['before'])
    await open.send(topic, 0, textRows(['open']))
    await commit(other, ['behind'])
    assert.deepEqual(await readAll(log, topic, 0, { stable: true }), ['before'])
    await open.commit([], undefined)
    assert.deepEqual(await committed(), ['before', 'open', 'behind'])
  })

  it('is a choice: uncommitted records are read where they are asked for', async () => {
    const writer = await producer()
    await abort(writer, ['aborted'])
    await writer.send(topic, 0, textRows(['open']))
    assert.deepEqual(await readAll(log, topic, 0, { uncommitted: true }), ['aborted', 'open'])
    await writer.abort()
  })
})
