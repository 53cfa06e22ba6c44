import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import type { Tick } from '../../../../src/http/live/types.ts'
import { kafkaBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { busy } from '../children/busy.ts'

const module = new URL('../children/busy.ts', import.meta.url)
const partitions = [0, 1]
/** The number over which the step takes its time, and holds up those behind it. */
const slow = 7

describe('lag of inputs on Kafka, as an app shows it', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string
  let settings: { input: string; output: string }

  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('lag')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-lag-'))
    settings = { input: `${app}.in`, output: `${app}.out` }
    await log.createTopics(Object.values(settings).map((name) => ({ name, partitions: 2, configs: {} })))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  async function send(numbers: readonly number[], partition: number): Promise<void> {
    const options = { key: serdes.string(), value: serdes.json<number>() }
    await using producer = broker.producer<string, number>(settings.input, options)
    for (const n of numbers) void producer.send({ key: `${partition}-${n}`, value: n, timestamp: 1000, partition })
  }

  for (const workers of [0, 2]) {
    it(`is that of the brokers, with ${workers} workers`, async () => {
      const all = { ...settings, at: String(slow), ms: workers === 0 ? '0' : '8000' }
      const program = workers === 0 ? { topology: busy(all) } : { topology: module, workers, settings: all }
      await using running = new StreamsApp({
        applicationId: app,
        broker,
        stateDir: join(dir, 'state'),
        http: { port: 0 },
        ...program,
      })
      await running.start()
      const lags = async (): Promise<(number | undefined)[]> => {
        const { inputs } = (await (await fetch(`${running.httpUrl}/api/now`)).json()) as Tick
        return partitions.map((p) => {
          const found = inputs.find(({ topic, partition }) => topic === settings.input && partition === p)
          return found && found.end - (found.position ?? Number.NaN)
        })
      }
      await send([1], 0)
      await send([slow, ...new Array<number>(999).fill(1)], 1)
      const until = async (are: (lags: readonly (number | undefined)[]) => boolean): Promise<void> => {
        while (!are(await lags())) await new Promise((resolve) => setTimeout(resolve, 100))
      }
      // it is told which one is behind, and by how much, though nothing of it was committed yet
      if (workers > 0) await until(([first, second]) => first === 0 && second === 1000)
      await until(([first, second]) => first === 0 && second === 0)
      const text = await (await fetch(`${running.httpUrl}/metrics`)).text()
      assert.match(text, new RegExp(`dhaara_input_lag_records\\{topic="${app}.in",partition="1",app="${app}"\\} \\d+`))
      const { inputs } = (await (await fetch(`${running.httpUrl}/api/now`)).json()) as Tick
      const ends = await log.offsets(
        inputs.map(({ topic, partition }) => ({ topic, partition })),
        'latest',
      )
      assert.deepEqual(
        inputs.map(({ position }) => position),
        ends,
      )
      const topics = (await (await fetch(`${running.httpUrl}/api/topics`)).json()) as {
        readonly name: string
        readonly partitions: readonly { readonly start: number; readonly end: number; readonly position?: number }[]
      }[]
      const input = topics.find(({ name }) => name === settings.input)
      assert.deepEqual(
        input?.partitions.map(({ end, position }) => [end, position]),
        partitions.map((p) => {
          const one = inputs.find(({ partition }) => partition === p)
          return [one?.end, one?.position]
        }),
      )
      assert.ok(topics.some(({ name }) => name === settings.output))
    }).timeout(60_000)
  }
})
