import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes } from '../../../../src/index.ts'
import { unique } from '../broker.ts'
import { readAll } from './read.ts'

const cities = ['Mumbai', 'Pune', 'Chennai', 'Kochi', 'Jaipur', 'Delhi', 'Surat']
const partitions = 4

/** An instance of `children/counting.ts` in a process of its own. */
export class Instance {
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

/** Numbered orders are sent all the time, while something is done to instances or brokers; then each effect is counted. */
export class Trial implements AsyncDisposable {
  readonly instances: readonly Instance[]
  readonly #app: string
  readonly #broker: RemoteBroker
  readonly #log: RemoteLog
  readonly #dir: string
  readonly #expected = new Map<string, number>()
  #sent = 0
  #sending = true
  #feeder: Promise<void> | undefined

  static async make(brokers: readonly string[], instances: number): Promise<Trial> {
    const broker = kafkaBroker({ brokers })
    const app = unique('trial')
    const dir = await mkdtemp(join(tmpdir(), 'dhaara-trial-'))
    const log = await broker[remote]()
    const topics = ['orders', 'copies', 'counts'].map((name) => `${app}.${name}`)
    await log.createTopics(topics.map((name) => ({ name, partitions, configs: {} })))
    const all = Array.from({ length: instances }, (_, i) => new Instance(brokers.join(','), app, join(dir, String(i))))
    return new Trial(app, broker, log, dir, all)
  }

  private constructor(app: string, broker: RemoteBroker, log: RemoteLog, dir: string, instances: readonly Instance[]) {
    this.#app = app
    this.#broker = broker
    this.#log = log
    this.#dir = dir
    this.instances = instances
  }

  start(): void {
    this.#feeder = this.#feed()
    for (const one of this.instances) one.start()
  }

  /** @throws AssertionError: an effect is missing, or there twice */
  async verify(): Promise<void> {
    this.#sending = false
    await this.#feeder
    const seen = await this.#counted()
    await Promise.all(this.instances.map((one) => one.end('SIGTERM')))
    const reads = Array.from({ length: partitions }, (_, p) => readAll(this.#log, `${this.#app}.copies`, p))
    const copies = (await Promise.all(reads)).flat().map(Number)
    assert.deepEqual(
      copies.sort((a, b) => a - b),
      Array.from({ length: this.#sent }, (_, n) => n),
    )
    assert.deepEqual(seen, this.#expected)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sending = false
    await Promise.all(this.instances.map((one) => one.end('SIGKILL')))
    await this.#feeder?.catch(() => {})
    const own = (await this.#log.topics()).map(({ name }) => name).filter((name) => name.startsWith(this.#app))
    await this.#log.deleteTopics(own)
    await this.#log.release()
    await rm(this.#dir, { recursive: true, force: true })
  }

  async #feed(): Promise<void> {
    await using producer = this.#broker.producer(`${this.#app}.orders`, {
      key: serdes.string(),
      value: serdes.json<{ n: number; city: string }>(),
    })
    while (this.#sending) {
      for (let i = 0; i < 50; i++) {
        const n = this.#sent++
        const city = cities[(n * 31) % cities.length] as string
        this.#expected.set(city, (this.#expected.get(city) ?? 0) + 1)
        void producer.send({ key: String(n), value: { n, city }, timestamp: 1000 + n })
      }
      await producer.flush()
      await delay(20)
    }
  }

  /** Counts by city, when they are as many as were sent; a count that goes back, or that comes twice, is an error. */
  async #counted(): Promise<Map<string, number>> {
    const seen = new Map<string, number>()
    const signal = AbortSignal.timeout(90_000)
    const options = { key: serdes.string(), value: serdes.json<{ city: string; count: number }>(), signal }
    for await (const { value } of this.#broker.consumer(`${this.#app}.counts`, options)) {
      if (value === null) continue
      assert.equal(value.count, (seen.get(value.city) ?? 0) + 1, `count of ${value.city}`)
      seen.set(value.city, value.count)
      if ([...seen.values()].reduce((a, b) => a + b, 0) === this.#sent) return seen
    }
    const outputs = this.instances.map((one, i) => `--- instance ${i}\n${one.output.slice(-3000)}`).join('\n')
    throw new assert.AssertionError({
      message: `the counts stopped\n${outputs}`,
      actual: seen,
      expected: this.#expected,
    })
  }
}
