import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, embeddedBroker, StreamsApp } from '../../../src/index.ts'
import { nameOf, store, topic } from './names.ts'
import { forQuestions, notGivenOut } from './pinned.ts'
import { keyOf, senderFlags, type SenderJob, type SenderNews, type SenderOrder } from './sender.ts'
import type { Total } from './topology.ts'

/** Orders that are sent and not processed, at most, where nobody says how many a second. */
const ahead = 50_000
const slice = 10_000

/** An app on a worker thread, with HTTP, and a process that sends it orders. */
export class Load implements AsyncDisposable {
  readonly app: StreamsApp
  readonly keys: number
  private readonly partitions: number
  private readonly dir: string
  private readonly broker: Broker & AsyncDisposable
  private sender: ChildProcess | undefined
  /** Who waits for an order to be obeyed. */
  private readonly told: ((sent: number) => void)[] = []
  private sent = 0

  private constructor(dir: string, keys: number, workers: number, partitions: number, pinned: boolean) {
    this.dir = dir
    this.keys = keys
    this.partitions = partitions
    this.broker = embeddedBroker({ dir, partitions }) as Broker & AsyncDisposable
    const topology = new URL('topology.ts', import.meta.url)
    const logger = { debug() {}, info() {}, warn: notGivenOut, error() {} }
    const cpus = pinned ? { cpus: forQuestions, logger } : {}
    const options = { applicationId: 'queries', broker: this.broker, http: { port: 0 }, ...cpus }
    this.app = new StreamsApp({ ...options, topology, workers })
  }

  /** With a row for each key. @param pinned the app's own thread on one core, all others and who sends on another */
  static async start(keys: number, workers: number, { partitions = 1, pinned = false } = {}): Promise<Load> {
    const load = new Load(mkdtempSync(join(tmpdir(), 'dhaara-queries-')), keys, workers, partitions, pinned)
    await load.app.start()
    const job: SenderJob = { dir: load.dir, keys, pinned }
    const sender = fork(join(import.meta.dirname, 'sender.ts'), [JSON.stringify(job)], {
      execArgv: [...process.execArgv, ...senderFlags],
    })
    await once(sender, 'message')
    sender.on('message', ({ sent }: SenderNews) => load.told.shift()?.(sent))
    load.sender = sender
    await load.send(keys)
    await load.settle()
    return load
  }

  get processed(): number {
    return this.app.metrics()['recordsIn'] ?? 0
  }

  async send(count: number): Promise<void> {
    let before: Promise<void> = Promise.resolve()
    for (let left = count; left > 0; left -= slice) {
      const sending = this.tell({ type: 'send', count: Math.min(left, slice) })
      // one is on its way while the next is made
      await before
      before = sending
      while (this.sent - this.processed > ahead) await sleep(1)
    }
    await before
  }

  /** As many orders as go. @returns processed a second */
  async flood(seconds: number): Promise<number> {
    const from = this.processed
    const began = performance.now()
    while (performance.now() - began < seconds * 1000) await this.send(4 * slice)
    return ((this.processed - from) * 1000) / (performance.now() - began)
  }

  /** Orders at a steady rate, whatever becomes of them. @returns processed a second */
  async offer(rate: number, seconds: number): Promise<number> {
    const from = this.processed
    const began = performance.now()
    const told = this.tell({ type: 'offer', rate, seconds })
    await sleep(seconds * 1000)
    const done = ((this.processed - from) * 1000) / (performance.now() - began)
    await told
    return done
  }

  /** Until all is processed and committed; of several partitions, until there is a row for each key. */
  async settle(): Promise<void> {
    while (this.processed < this.sent) await sleep(5)
    const rows = this.app.store(store)
    if (this.partitions === 1) await rows.get(nameOf(0), { minPosition: { [topic]: { 0: this.sent - 1 } } })
    // rows are counted as of the last checkpoint
    else while ((await rows.count({ estimate: true })) < this.keys) await sleep(5)
  }

  /** Each key has as many orders as were sent. */
  async correct(): Promise<boolean> {
    await this.settle()
    const counts = new Uint32Array(this.keys)
    for (let order = 0; order < this.sent; order++) counts[keyOf(order, this.keys)]!++
    const found = await this.app.store(store).getMany(Array.from(counts, (_, key) => nameOf(key)))
    return found.every((total, key) => (total as Total | undefined)?.count === counts[key])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sender?.disconnect()
    if (this.sender?.exitCode === null) await once(this.sender, 'exit')
    await this.app.close()
    await this.broker[Symbol.asyncDispose]()
    rmSync(this.dir, { recursive: true, force: true })
  }

  private async tell(order: SenderOrder): Promise<void> {
    this.sender?.send(order)
    const sent = await new Promise<number>((resolve) => this.told.push(resolve))
    this.sent += sent
  }
}
