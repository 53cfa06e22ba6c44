import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { readAll } from './read.ts'

const cities = ['Mumbai', 'Pune', 'Chennai', 'Kochi', 'Jaipur', 'Delhi', 'Surat']
const partitions = 4
const faults = Number(process.env['DHAARA_CHAOS'] ?? 6)
const instances = 3

/** An instance in a process of its own, that is started again when it is killed. */
class Instance {
  child: ChildProcess | undefined
  output = ''
  readonly #args: readonly string[]

  constructor(...args: string[]) {
    this.#args = args
  }

  start(): void {
    const script = new URL('../children/counting.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [script, ...this.#args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (this.output += text))
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill(signal)
    await gone
  }
}

describe('instances of an app that are killed, or stopped for longer than their session', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string
  let all: Instance[]

  beforeEach(async () => {
    const brokers = await kafka()
    broker = kafkaBroker({ brokers })
    log = await broker[remote]()
    app = unique('crash')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-crash-'))
    const topics = ['orders', 'copies', 'counts'].map((name) => `${app}.${name}`)
    await log.createTopics(topics.map((name) => ({ name, partitions, configs: {} })))
    all = Array.from({ length: instances }, (_, i) => new Instance(brokers.join(','), app, join(dir, String(i))))
  })

  afterEach(async () => {
    await Promise.all(all.map((one) => one.end('SIGKILL')))
    const own = (await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app))
    await log.deleteTopics(own)
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  it(`have each effect exactly once (${faults} faults)`, async function () {
    this.timeout(60_000 + faults * 15_000)
    const expected = new Map<string, number>()
    let sent = 0
    let sending = true
    const feeder = (async () => {
      await using producer = broker.producer(`${app}.orders`, {
        key: serdes.string(),
        value: serdes.json<{ n: number; city: string }>(),
      })
      while (sending) {
        for (let i = 0; i < 50; i++) {
          const city = cities[(sent * 31) % cities.length] as string
          void producer.send({ key: String(sent), value: { n: sent, city }, timestamp: 1000 + sent })
          expected.set(city, (expected.get(city) ?? 0) + 1)
          sent++
        }
        await producer.flush()
        await delay(20)
      }
    })()
    for (const one of all) one.start()
    for (let fault = 0; fault < faults; fault++) {
      await delay(1000 + Math.random() * 2500)
      const one = all[Math.floor(Math.random() * all.length)] as Instance
      if (fault % 3 === 2) {
        one.child?.kill('SIGSTOP')
        await delay(4500)
        one.child?.kill('SIGCONT')
      } else {
        await one.end('SIGKILL')
        one.start()
      }
    }
    sending = false
    await feeder
    const seen = await until(sent, expected)
    await Promise.all(all.map((one) => one.end('SIGTERM')))
    const copies = await readTopic(`${app}.copies`)
    assert.equal(copies.length, sent)
    assert.deepEqual(
      copies.map(Number).sort((a, b) => a - b),
      Array.from({ length: sent }, (_, n) => n),
    )
    assert.deepEqual(seen, expected)
  })

  async function readTopic(topic: string): Promise<string[]> {
    const parts = await Promise.all(Array.from({ length: partitions }, (_, p) => readAll(log, topic, p)))
    return parts.flat()
  }

  /** Counts by city, when they are as many as were sent; a count that goes back, or that comes twice, is an error. */
  async function until(sent: number, expected: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    const seen = new Map<string, number>()
    const stop = AbortSignal.timeout(60_000)
    const options = { key: serdes.string(), value: serdes.json<{ city: string; count: number }>(), signal: stop }
    for await (const { value } of broker.consumer(`${app}.counts`, options)) {
      if (value === null) continue
      assert.equal(value.count, (seen.get(value.city) ?? 0) + 1, `count of ${value.city}`)
      seen.set(value.city, value.count)
      if ([...seen.values()].reduce((a, b) => a + b, 0) === sent) return seen
    }
    const outputs = all.map((one, i) => `--- ${i}\n${one.output.slice(-3000)}`).join('\n')
    throw new assert.AssertionError({ message: `counts stopped: ${outputs}`, actual: seen, expected })
  }
})
