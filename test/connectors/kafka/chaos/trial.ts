import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { unique } from '../broker.ts'
import { java } from '../java/interop.ts'
import { counting, type Order } from './counting.ts'
import { Instance } from './instance.ts'

const cities = ['Mumbai', 'Pune', 'Chennai', 'Kochi', 'Jaipur', 'Delhi', 'Surat']
const partitions = 4
const count = { key: serdes.string(), value: serdes.json<{ city: string; count: number }>() }

export interface TrialOptions {
  /** As instances reach them. */
  readonly brokers: readonly string[]
  /** As whoever looks at the outcome reaches them. */
  readonly direct: readonly string[]
  readonly client: 'platformatic' | 'kafkajs'
  /** Threads of each instance. */
  readonly workers: readonly number[]
}

/** Numbered orders are sent all the time, while something is done to instances or brokers; then each effect is counted. */
export class Trial implements AsyncDisposable {
  readonly instances: readonly Instance[]
  readonly #app: string
  readonly #options: TrialOptions
  readonly #broker: RemoteBroker
  readonly #log: RemoteLog
  readonly #dir: string
  /** Orders by city. */
  readonly #model = new Map<string, number>()
  #sent = 0
  #sending = true
  #feeder: Promise<void> | undefined

  static async make(options: TrialOptions): Promise<Trial> {
    const { brokers, direct, client, workers } = options
    const broker = kafkaBroker({ brokers: direct })
    const app = unique('chaos')
    const dir = await mkdtemp(join(tmpdir(), 'dhaara-chaos-'))
    const log = await broker[remote]()
    const topics = ['orders', 'copies', 'counts'].map((name) => `${app}.${name}`)
    await log.createTopics(topics.map((name) => ({ name, partitions, configs: {} })))
    const instances = workers.map(
      (threads, i) => new Instance(brokers.join(','), app, join(dir, String(i)), String(threads), client),
    )
    return new Trial(app, options, broker, log, dir, instances)
  }

  private constructor(
    app: string,
    options: TrialOptions,
    broker: RemoteBroker,
    log: RemoteLog,
    dir: string,
    instances: readonly Instance[],
  ) {
    this.#app = app
    this.#options = options
    this.#broker = broker
    this.#log = log
    this.#dir = dir
    this.instances = instances
  }

  /** Starts the feeder and the first so many instances; the others are to come and go. */
  start(instances: number): void {
    this.#feeder = this.#feed()
    for (const one of this.instances.slice(0, instances)) one.start()
  }

  /** @throws AssertionError: an effect is missing, or there twice; an instance ended by itself */
  async verify(): Promise<void> {
    this.#sending = false
    await this.#feeder
    await this.#untilDone()
    await Promise.all(this.instances.map((one) => one.end('SIGTERM')))
    const failed = this.instances.filter(({ failures }) => failures > 0)
    assert.equal(failed.length, 0, `ended by themselves:\n${failed.map(({ output }) => output).join('\n')}`)
    this.#checkOnce('orders', ({ value }) => JSON.parse(value).n)
    this.#checkOnce('copies', ({ value }) => Number(value))
    this.#checkCounts(this.#readByJava('counts').map(({ value }) => JSON.parse(value)))
    assert.deepEqual(await this.#table(), this.#model)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sending = false
    await Promise.all(this.instances.map((one) => one.end('SIGKILL')))
    await this.#feeder?.catch(() => {})
    await this.#log.release()
    await rm(this.#dir, { recursive: true, force: true })
  }

  async #feed(): Promise<void> {
    const options = { key: serdes.string(), value: serdes.json<Order>() }
    await using producer = this.#broker.producer(`${this.#app}.orders`, options)
    while (this.#sending) {
      const sends: Promise<void>[] = []
      for (let i = 0; i < 50; i++) {
        const n = this.#sent++
        const city = cities[(n * 31) % cities.length] as string
        this.#model.set(city, (this.#model.get(city) ?? 0) + 1)
        sends.push(producer.send({ key: String(n), value: { n, city }, timestamp: 1000 + n }))
      }
      await Promise.all(sends)
      await delay(20)
    }
  }

  /** Until as many counts have come as orders were sent. */
  async #untilDone(): Promise<void> {
    const signal = AbortSignal.timeout(120_000)
    let seen = 0
    for await (const _ of this.#broker.consumer(`${this.#app}.counts`, { ...count, signal }))
      if (++seen >= this.#sent) return
    const outputs = this.instances.map(({ output }, i) => `--- instance ${i}\n${output.slice(-4000)}`).join('\n')
    assert.fail(`${seen} of ${this.#sent} counts have come\n${outputs}`)
  }

  /** What a consumer that is none of ours finds committed. */
  #readByJava(topic: string): { readonly value: string; readonly place: string }[] {
    const lines = java('consume', this.#options.direct.join(','), String(partitions), `${this.#app}.${topic}`)
    return lines.split('\n').flatMap((line) => {
      const [, partition, , , value = '', , offset] = line.split('|')
      return line === '' ? [] : [{ value, place: `${topic}[${partition}] offset ${offset}` }]
    })
  }

  #checkOnce(topic: string, numberOf: (row: { readonly value: string }) => number): void {
    const places = new Map<number, string[]>()
    for (const row of this.#readByJava(topic)) {
      const n = numberOf(row)
      const known = places.get(n)
      if (known === undefined) places.set(n, [row.place])
      else known.push(row.place)
    }
    const twice = [...places].flatMap(([n, at]) => (at.length > 1 ? [`${n} at ${at.join(' and ')}`] : []))
    const lost = Array.from({ length: this.#sent }, (_, n) => n).filter((n) => !places.has(n))
    assert.deepEqual(
      { twice, lost },
      { twice: [], lost: [] },
      `${topic} of ${this.#sent}: ${twice.length} are there twice (${twice.slice(0, 20).join('; ')}), ${lost.length} are lost (${lost.slice(0, 20).join(', ')})`,
    )
  }

  /** Of each city: 1, 2, 3, … */
  #checkCounts(all: readonly { readonly city: string; readonly count: number }[]): void {
    const last = new Map<string, number>()
    for (const one of all) {
      assert.equal(one.count, (last.get(one.city) ?? 0) + 1, `count of ${one.city}`)
      last.set(one.city, one.count)
    }
    assert.deepEqual(last, this.#model)
  }

  /** The table, as an instance without any local state reads it from what the others have left. */
  async #table(): Promise<Map<string, number>> {
    const app = this.#app
    await using fresh = new StreamsApp({ applicationId: app, broker: this.#broker, ...counting(app) })
    await fresh.start()
    const table = new Map<string, number>()
    for await (const [city, n] of fresh.store('cities').all()) table.set(city as string, n as number)
    return table
  }
}
