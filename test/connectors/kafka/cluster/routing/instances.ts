import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../../src/connectors/broker/remote.ts'
import { type AppOptions, kafkaBroker, serdes, StreamsApp } from '../../../../../src/index.ts'
import { kafka, unique } from '../../broker.ts'
import { type Order, shop } from './shop.ts'

export const partitions = 4
export const token = 'a token of all instances'

export interface Started {
  readonly app: StreamsApp
  readonly url: string
}

/** An app on a real broker, as several instances, and what was sent to it. */
export class Instances implements AsyncDisposable {
  readonly app: string
  readonly broker: RemoteBroker
  readonly log: RemoteLog
  readonly brokers: readonly string[]
  readonly dir: string
  readonly #running = new Set<StreamsApp>()

  static async make(): Promise<Instances> {
    const app = unique('routing')
    const brokers = await kafka()
    const broker = kafkaBroker({ brokers, sessionTimeout: 6000 })
    const log = await broker[remote]()
    await log.createTopics([{ name: `${app}.orders`, partitions, configs: {} }])
    return new Instances(app, brokers, broker, log, await mkdtemp(join(tmpdir(), 'dhaara-routing-')))
  }

  private constructor(app: string, brokers: readonly string[], broker: RemoteBroker, log: RemoteLog, dir: string) {
    this.app = app
    this.brokers = brokers
    this.broker = broker
    this.log = log
    this.dir = dir
  }

  async start(name: string, own: Partial<AppOptions> = {}): Promise<Started> {
    const app = new StreamsApp({
      applicationId: this.app,
      broker: this.broker,
      topology: shop(this.app),
      stateDir: join(this.dir, name),
      http: { port: 0, token },
      ...own,
    })
    this.#running.add(app)
    await app.start()
    return { app, url: app.httpUrl ?? '' }
  }

  async stop(app: StreamsApp): Promise<void> {
    this.#running.delete(app)
    await app.close()
  }

  /** @returns the last offset of each partition that was written to */
  async send(orders: readonly (readonly [key: string, order: Order, timestamp: number])[]): Promise<void> {
    await using producer = this.broker.producer(`${this.app}.orders`, {
      key: serdes.string(),
      value: serdes.json<Order>(),
    })
    await Promise.all(orders.map(([key, value, timestamp]) => producer.send({ key, value, timestamp })))
  }

  /** Until this is so; meanwhile it may be refused, in a way that is worth a retry. */
  async until(is: () => Promise<boolean>, what: string, ms = 60_000): Promise<void> {
    const end = Date.now() + ms
    for (;;) {
      const done = await is().catch((error: { retryable?: boolean }) => {
        if (error.retryable !== true) throw error
        return false
      })
      if (done) return
      assert.ok(Date.now() < end, what)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((app) => app.close()))
    await this.log.deleteTopics(
      (await this.log.topics()).map(({ name }) => name).filter((name) => name.startsWith(this.app)),
    )
    await this.log.release()
    await rm(this.dir, { recursive: true, force: true })
  }
}
