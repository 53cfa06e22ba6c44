import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { kafkaBroker, serdes, type Source, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { remote } from '../../../../src/connectors/broker/remote.ts'
import { kafka, unique } from '../broker.ts'
import { allow, countsInBox, inBox, ownTopology } from '../own-topology.ts'
import { readAll } from './read.ts'

const child = new URL('../children/own.ts', import.meta.url).pathname
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)
const exactly = (count: number) =>
  new Map(Array.from({ length: 10 }, (_, key) => [String(key), upTo((4 * count) / 10)] as const))

describe('sources and sinks of one’s own on Kafka', () => {
  let box: string
  let app: string
  const children: ChildProcess[] = []

  beforeEach(() => {
    box = mkdtempSync(join(tmpdir(), 'dhaara-box-'))
    app = unique('own')
  })

  afterEach(async () => {
    for (const one of children.splice(0)) one.kill('SIGKILL')
    rmSync(box, { recursive: true, force: true })
    const log = await kafkaBroker({ brokers: await kafka() })[remote]()
    const own = (await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app))
    await log.deleteTopics(own)
    await log.release()
  })

  const seen = (): number => inBox(box).length
  const sorted = (found: ReadonlyMap<string, number[]>) => new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))

  it('go on where they were when all local state is gone', async () => {
    const brokers = await kafka()
    for (const count of [400, 1000, 1000]) {
      const broker = kafkaBroker({ brokers })
      const run = new StreamsApp({
        applicationId: app,
        topology: ownTopology(box, count, 0),
        broker,
        checkpointInterval: 20,
      })
      await run.start()
      await run.completed
      assert.deepEqual(sorted(countsInBox(box)), exactly(count))
    }
  })

  it('are closed half-way, and go on', async () => {
    const brokers = await kafka()
    const topology = ownTopology(box, 5000, 50)
    const first = new StreamsApp({
      applicationId: app,
      topology,
      broker: kafkaBroker({ brokers }),
      checkpointInterval: 20,
    })
    allow(box, 3000)
    await first.start()
    while (seen() < 500) await delay(5)
    await first.close()
    assert.ok(seen() <= 12_000)
    allow(box, 5000)
    const second = new StreamsApp({
      applicationId: app,
      topology,
      broker: kafkaBroker({ brokers }),
      checkpointInterval: 20,
    })
    await second.start()
    await second.completed
    assert.deepEqual(sorted(countsInBox(box)), exactly(5000))
  })

  it('stay open where tasks stay, while others come and go', async () => {
    const brokers = await kafka()
    const opened: string[] = []
    /** Without an end. */
    const topology = (who: string): Topology => {
      const builder = new StreamsBuilder()
      const source: Source<null, string, number> = {
        partitions: 4,
        async *read(position = 0, signal, { partition }) {
          opened.push(`${who}/${partition}`)
          for (let n = position; !signal.aborted; n++) {
            await delay(5)
            yield { value: `${partition}:${n}`, timestamp: n, position: n + 1 }
          }
        },
      }
      builder
        .source('numbers', source)
        .map((value) => ['', value])
        .to(`${app}.out`, { key: serdes.string(), value: serdes.string() })
      return builder.build()
    }
    const log = await kafkaBroker({ brokers })[remote]()
    await log.createTopics([{ name: `${app}.out`, partitions: 1, configs: {} }])
    const start = async (who: string): Promise<StreamsApp> => {
      const broker = kafkaBroker({ brokers })
      const one = new StreamsApp({ applicationId: app, topology: topology(who), broker, checkpointInterval: 20 })
      await one.start()
      return one
    }
    const openedBy = (who: string): string[] => opened.filter((one) => one.startsWith(who)).sort()
    const first = await start('one')
    while (openedBy('one').length < 4) await delay(5)
    const second = await start('two')
    while (openedBy('two').length < 2) await delay(5)
    await second.close()
    while (openedBy('one').length < 6) await delay(5)
    await first.close()
    // those that stayed: once; those that went and came back: twice
    const times = Map.groupBy(openedBy('one'), (one) => one)
    assert.deepEqual(Array.from(times.values(), ({ length }) => length).sort(), [1, 1, 2, 2])
    assert.deepEqual(
      [...times].flatMap(([one, { length }]) => (length === 2 ? [one.replace('one', 'two')] : [])),
      openedBy('two'),
    )
    // nothing was left out, and nothing was read twice
    const rows = (await readAll(log, `${app}.out`, 0)).map((row) => row.split(':').map(Number))
    const numbers = Map.groupBy(rows, ([partition]) => partition)
    assert.equal(numbers.size, 4)
    for (const own of numbers.values())
      assert.deepEqual(
        own.map(([, n]) => n),
        own.map((_, n) => n),
      )
    await log.release()
  }).timeout(120_000)

  /** An instance in a process of its own. */
  async function instance(count: number, workers: number): Promise<ChildProcess> {
    const args = [child, (await kafka()).join(','), app, box, String(count), String(workers)]
    const one = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    children.push(one)
    return one
  }

  it('are shared by two instances with workers, of which one sleeps for longer than its session', async () => {
    const count = 6000
    allow(box, 2000)
    const victim = await instance(count, 2)
    const other = await instance(count, 2)
    while (seen() < 3000) await delay(10)
    victim.kill('SIGSTOP')
    allow(box, 5000)
    // its tasks go to the other one, and come back when it wakes
    while (seen() < 4 * 5000) await delay(10)
    victim.kill('SIGCONT')
    allow(box, count)
    const ends = [victim, other].map(async (one) => one.exitCode ?? (await once(one, 'exit'))[0])
    assert.deepEqual(await Promise.all(ends), [0, 0])
    assert.deepEqual(sorted(countsInBox(box)), exactly(count))
  }).timeout(180_000)

  it('are shared by two instances, of which one is killed half-way: each effect is there once', async () => {
    const count = 5000
    const start = (): Promise<ChildProcess> => instance(count, 0)
    allow(box, 3000)
    const victim = await start()
    const other = await start()
    while (seen() < count / 2) await delay(10)
    victim.kill('SIGKILL')
    await once(victim, 'exit')
    const third = await start()
    allow(box, count)
    for (const one of [other, third]) if (one.exitCode === null) assert.deepEqual(await once(one, 'exit'), [0, null])
    assert.deepEqual(sorted(countsInBox(box)), exactly(count))
  })
})
