import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, embeddedBroker, type Producer, serdes, StreamsApp } from '../../../src/index.ts'
import { nameOf, store, topic } from './names.ts'
import type { Order, Total } from './topology.ts'

/** Orders that are sent and not processed, at most, where nobody says how many a second. */
const ahead = 50_000
const slice = 2_000

/** An app on a worker thread, with HTTP, and somebody who sends it orders. */
export class Load implements AsyncDisposable {
  readonly app: StreamsApp
  readonly keys: number
  private readonly dir: string
  private readonly broker: Broker & AsyncDisposable
  private readonly producer: Producer<string, Order>
  private readonly counts: Uint32Array
  private sent = 0

  private constructor(dir: string, keys: number, workers: number) {
    this.dir = dir
    this.keys = keys
    this.counts = new Uint32Array(keys)
    this.broker = embeddedBroker({ dir, partitions: 1 }) as Broker & AsyncDisposable
    const topology = new URL('topology.ts', import.meta.url)
    const options = { applicationId: 'queries', broker: this.broker, http: { port: 0 } }
    this.app = new StreamsApp({ ...options, topology, workers })
    this.producer = this.broker.producer(topic, { key: serdes.string(), value: serdes.json<Order>() })
  }

  /** With a row for each key. */
  static async start(keys: number, workers: number): Promise<Load> {
    const load = new Load(mkdtempSync(join(tmpdir(), 'dhaara-queries-')), keys, workers)
    await load.app.start()
    await load.send(keys, (i) => i)
    await load.settle()
    return load
  }

  get processed(): number {
    return this.app.metrics()['recordsIn'] ?? 0
  }

  async send(count: number, keyOf: (i: number) => number): Promise<void> {
    for (let i = 0; i < count; ) {
      let commit: Promise<void> | undefined
      for (const end = Math.min(count, i + slice); i < end; i++) {
        const key = keyOf(i)
        this.counts[key]!++
        this.sent++
        const customer = nameOf(key)
        commit = this.producer.send({ key: customer, value: { customer, amount: 7 } })
      }
      await commit
      while (this.sent - this.processed > ahead) await sleep(1)
    }
  }

  /** As many orders as go. @returns processed a second */
  async flood(seconds: number): Promise<number> {
    const from = this.processed
    const began = performance.now()
    while (performance.now() - began < seconds * 1000) await this.send(slice, this.some)
    return ((this.processed - from) * 1000) / (performance.now() - began)
  }

  /** Orders at a steady rate, whatever becomes of them. @returns processed a second */
  async offer(rate: number, seconds: number): Promise<number> {
    const from = this.processed
    const began = performance.now()
    for (let done = 0; performance.now() - began < seconds * 1000; await sleep(2)) {
      const due = Math.floor(((performance.now() - began) / 1000) * rate)
      if (due > done) await this.send(due - done, this.some)
      done = due
    }
    return ((this.processed - from) * 1000) / (performance.now() - began)
  }

  private readonly some = (): number => Math.floor(Math.random() * this.keys)

  /** Until all is processed and committed. */
  async settle(): Promise<void> {
    while (this.processed < this.sent) await sleep(5)
    await this.app.store(store).get(nameOf(0), { minPosition: { [topic]: { 0: this.sent - 1 } } })
  }

  /** Each key has as many orders as were sent. */
  async correct(): Promise<boolean> {
    await this.settle()
    const found = await this.app.store(store).getMany(Array.from(this.counts, (_, key) => nameOf(key)))
    return found.every((total, key) => (total as Total | undefined)?.count === this.counts[key])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.producer.close()
    await this.app.close()
    await this.broker[Symbol.asyncDispose]()
    rmSync(this.dir, { recursive: true, force: true })
  }
}
