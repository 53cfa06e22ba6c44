import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder } from '../../../../src/index.ts'
import { openRocks } from '../../../../src/state/backends/index.ts'
import { asBuffer } from '../../../../src/state/codec/index.ts'
import { kafka, unique } from '../broker.ts'
import { readAll } from './read.ts'

describe('local rows that are held to their changelog', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('verify')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-verify-'))
    await log.createTopics([`${app}.in`, `${app}.out`].map((name) => ({ name, partitions: 1, configs: {} })))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  /** Counts what there is. @returns topics whose rows were not right */
  async function run(...values: string[]): Promise<string[]> {
    const builder = new StreamsBuilder()
    builder
      .stream(`${app}.in`, { key: serdes.string(), value: serdes.string() })
      .groupByKey()
      .count({ name: 'counts' })
      .toStream()
      .to(`${app}.out`, { key: serdes.string(), value: serdes.json<number>() })
    {
      await using producer = broker.producer(`${app}.in`, { key: serdes.string(), value: serdes.string() })
      for (const value of values) void producer.send({ key: value, value })
    }
    const wrong: string[] = []
    const warn = (fields: object, text = ''): void => {
      if (/not those of their changelog/.test(text)) wrong.push((fields as { topic: string }).topic)
    }
    const logger = { debug() {}, info() {}, warn, error() {} }
    const running = new StreamsApp({
      applicationId: app,
      broker,
      topology: builder.build(),
      stateDir: dir,
      strict: true,
      logger,
    })
    await running.start()
    running.endInputs()
    await running.completed
    return wrong
  }

  /** Gives a row the value of another one; both are counts. */
  async function damage(): Promise<void> {
    const backend = await openRocks(dir, {})
    const rows = [...backend.range({})].filter(([key]) => asBuffer(key).includes('odd'))
    const [, value] = [...backend.range({})].find(([key]) => asBuffer(key).includes('even')) as [Buffer, Buffer]
    assert.equal(rows.length, 1)
    const batch = backend.batch()
    batch.put(rows[0]?.[0] as Buffer, Buffer.from(value))
    batch.commit({ sync: true })
    await backend.close()
  }

  it('are read anew where they differ, and let alone where they do not', async () => {
    assert.deepEqual(await run('odd', 'even', 'even', 'even'), [])
    assert.deepEqual(await run('odd', 'even'), [])
    await damage()
    assert.deepEqual(await run('odd'), [`${app}-counts-changelog`])
    assert.deepEqual(await run(), [])
    assert.deepEqual(await readAll(log, `${app}.out`, 0), ['1', '1', '2', '3', '2', '4', '3'])
  })
})
