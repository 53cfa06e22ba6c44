import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { brokerIsAtLeast } from '../../../../scripts/kafka/jars.ts'
import type { RemoteBroker, RemoteLog, RemoteWriter } from '../../../../src/connectors/broker/remote.ts'
import { serdes, StreamsApp } from '../../../../src/index.ts'
import { textRows } from '../rows.ts'
import { type Counts, counts } from './counts.ts'
import { readAll } from './read.ts'

/** Much longer than a test may take: who waits for it fails. */
const transactionTimeoutMs = 600_000

describe('transactions that an instance has left open', () => {
  let own: Counts
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string

  before(function () {
    // older brokers list none: they end them themselves
    if (!brokerIsAtLeast(3, 0)) this.skip()
  })
  beforeEach(async () => {
    own = await counts('abandoned')
    ;({ broker, log, app, dir } = own)
  })
  afterEach(() => own?.[Symbol.asyncDispose]())

  function counting(stateDir: string): StreamsApp {
    return new StreamsApp({ applicationId: app, broker, topology: own.topology(), stateDir: join(dir, stateDir) })
  }

  const send = async (...values: string[]): Promise<void> => {
    await using producer = broker.producer(`${app}.in`, { key: serdes.string(), value: serdes.string() })
    for (const value of values) void producer.send({ key: 'k', value })
  }

  /** As an instance does in the middle of an epoch. */
  async function leaveOpen(transactionalId: string, topic: string): Promise<RemoteWriter> {
    const writer = log.writer({ transactionalId, transactionTimeoutMs })
    await writer.init()
    await writer.send(topic, 0, textRows(['1000'], 'k'))
    assert.ok((await log.openTransactions()).includes(transactionalId))
    return writer
  }

  const run = async (stateDir: string): Promise<void> => {
    const running = counting(stateDir)
    await running.start()
    running.endInputs()
    await running.completed
  }

  it('are ended by whoever takes its tasks over, and it can commit nothing any more', async () => {
    await send('a', 'b')
    await run('first')
    await send('c')
    const id = `${app}-${randomUUID()}`
    const gone = await leaveOpen(id, `${app}-counts-changelog`)
    const worker = await leaveOpen(`${app}-${randomUUID()}-1`, `${app}.out`)
    await run('second')
    assert.deepEqual(await readAll(log, `${app}.out`, 0), ['1', '2', '3'])
    for (const one of [gone, worker]) await assert.rejects(one.commit([], undefined), { code: 'DHAARA_KAFKA_FENCED' })
  })

  it('of other apps are let alone, whatever these are called', async () => {
    await send('a')
    const other = `${app}-b-${randomUUID()}`
    await log.createTopics([{ name: `${app}.other`, partitions: 1, configs: {} }])
    const writer = await leaveOpen(other, `${app}.other`)
    await run('first')
    await writer.commit([], undefined)
    assert.deepEqual(await readAll(log, `${app}.other`, 0), ['1000'])
  })
})
