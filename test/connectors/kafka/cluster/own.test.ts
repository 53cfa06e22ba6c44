import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { kafkaBroker, StreamsApp } from '../../../../src/index.ts'
import { remote } from '../../../../src/connectors/broker/remote.ts'
import { kafka, unique } from '../broker.ts'
import { countsInBox, inBox, ownTopology } from '../own-topology.ts'

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
    await first.start()
    while (inBox(box).length < 500) await delay(5)
    await first.close()
    assert.ok(inBox(box).length < 20_000)
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

  it('are shared by two instances, of which one is killed half-way: each effect is there once', async () => {
    const brokers = (await kafka()).join(',')
    const count = 5000
    const start = (): ChildProcess => {
      const one = spawn(process.execPath, [child, brokers, app, box, String(count)], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      children.push(one)
      return one
    }
    const victim = start()
    const other = start()
    const seen = (): number => inBox(box).length
    while (seen() < count / 2) await delay(10)
    victim.kill('SIGKILL')
    await once(victim, 'exit')
    const left = seen()
    assert.ok(left < 4 * count, 'it was over before anything was killed')
    const third = start()
    for (const one of [other, third]) if (one.exitCode === null) assert.deepEqual(await once(one, 'exit'), [0, null])
    assert.deepEqual(sorted(countsInBox(box)), exactly(count))
  })
})
