import assert from 'node:assert/strict'
import type { RemoteBroker, RemoteLog } from '../../../../src/connectors/broker/remote.ts'
import { serdes, StreamsApp } from '../../../../src/index.ts'
import { openRocks } from '../../../../src/state/backends/index.ts'
import { asBuffer } from '../../../../src/state/codec/index.ts'
import { type Counts, counts } from './counts.ts'
import { readAll } from './read.ts'

describe('local rows that are held to their changelog', () => {
  let own: Counts
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string

  beforeEach(async () => {
    own = await counts('verify')
    ;({ broker, log, app, dir } = own)
  })
  afterEach(() => own[Symbol.asyncDispose]())

  /** Counts what there is. @returns topics whose rows were not right */
  async function run(...values: string[]): Promise<string[]> {
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
      topology: own.topology(),
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
