import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { type AppOptions, kafkaBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { busy } from '../children/busy.ts'
import { readAll } from './read.ts'

const module = new URL('../children/busy.ts', import.meta.url)
const records = 400
const session = 2000

describe('tasks on workers, on Kafka', () => {
  let brokers: readonly string[]
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string
  let settings: { input: string; output: string }

  beforeEach(async () => {
    brokers = await kafka()
    broker = kafkaBroker({ brokers, sessionTimeout: session })
    log = await broker[remote]()
    app = unique('workers')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-workers-'))
    settings = { input: `${app}.in`, output: `${app}.out` }
    await log.createTopics(Object.values(settings).map((name) => ({ name, partitions: 4, configs: {} })))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  async function send(from: number, to: number): Promise<void> {
    const options = { key: serdes.string(), value: serdes.json<number>() }
    await using producer = broker.producer<string, number>(settings.input, options)
    for (let n = from; n < to; n++) void producer.send({ key: String(n), value: n, timestamp: 1000 + n })
  }

  /** Each number is a key of its own, and was seen once. */
  async function verify(numbers: number): Promise<void> {
    const counts = await Promise.all([0, 1, 2, 3].map((partition) => readAll(log, settings.output, partition)))
    assert.deepEqual(counts.flat().map(Number), new Array<number>(numbers).fill(1))
  }

  function make(workers: number, own: Partial<AppOptions> & { at?: number; ms?: number } = {}): StreamsApp {
    const { at = -1, ms = 0, ...options } = own
    const all = { ...settings, at: String(at), ms: String(ms) }
    const program = workers === 0 ? { topology: busy(all) } : { topology: module, workers, settings: all }
    return new StreamsApp({ applicationId: app, broker, stateDir: join(dir, unique('state')), ...options, ...program })
  }

  it('run the same job, each with its own transactions, and take over where one thread was', async () => {
    await send(0, records)
    const stateDir = join(dir, 'state')
    const first = make(0, { stateDir })
    await first.start()
    first.endInputs()
    await first.completed
    await send(records, 2 * records)
    const second = make(3, { stateDir })
    await second.start()
    second.endInputs()
    const { recordsIn, recordsOut } = await second.completed
    assert.deepEqual({ recordsIn, recordsOut }, { recordsIn: records, recordsOut: records })
    await verify(2 * records)
  })

  for (const workers of [0, 1, 2]) {
    it(`do not lose the group while a function keeps ${workers === 0 ? 'the only thread' : `one of ${workers} workers`} busy`, async () => {
      await send(0, records)
      const moves: string[] = []
      const logger = {
        debug() {},
        info: (fields: object, text = '') =>
          void (/tasks (leave|come)/.test(text) && moves.push(JSON.stringify(fields))),
        warn: (fields: object, text = '') => void moves.push(`${text} ${JSON.stringify(fields)}`),
        error: (fields: object, text = '') => void moves.push(`${text} ${JSON.stringify(fields)}`),
      }
      await using one = make(workers, { logger, at: records / 2, ms: 3 * session })
      await one.start()
      assert.equal(moves.length, 1, moves.join('\n'))
      one.endInputs()
      await one.completed
      assert.equal(moves.length, 1, moves.join('\n'))
      await verify(records)
    })
  }

  it('that never come back are found out, and the app says so', async () => {
    await send(0, records)
    const one = make(2, { at: records / 2, ms: 2 ** 30, stuckAfter: '2s' })
    await one.start()
    await assert.rejects(one.completed, (error: Error & { code?: string }) => {
      return error.code === 'DHAARA_STEP_STUCK' && /worker \d/.test(error.message)
    })
    // what the others did stands, and nothing was done twice
    await using two = make(1)
    await two.start()
    two.endInputs()
    await two.completed
    await verify(records)
  })
})
