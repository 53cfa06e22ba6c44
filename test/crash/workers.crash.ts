import assert from 'node:assert/strict'
import type { Worker } from 'node:worker_threads'
import { embeddedBroker, serdes, StreamsApp } from '../../src/index.ts'
import { send } from '../engine/app/run.ts'
import { assertEqual, expectedOutputs, type Outputs, outputsOf, partitions, range } from './expected.ts'
import { customerAt, customers, orderAt } from './orders.ts'

const count = 20_000
const seed = 5
const ahead = 500

type Harm = (workers: readonly Worker[], n: number, scribe: Worker) => void

const one = <T>(items: readonly T[], n: number): T => items[n % items.length] as T

const harms: Readonly<Record<string, Harm>> = {
  terminated: (workers, n) => void one(workers, n).terminate(),
  'that throw': (workers, n) => one(workers, n).postMessage('on command'),
  'terminated, all at once': (workers) => {
    for (const worker of workers) void worker.terminate()
  },
  'that throw while another one is terminated': (workers, n) => {
    one(workers, n).postMessage('on command')
    void one(workers, n + 1).terminate()
  },
  'terminated, or its thread that writes': (workers, n, scribe) =>
    void (n % 2 === 0 ? one(workers, n) : scribe).terminate(),
}

const isScribe = (worker: Worker): boolean => worker.threadName === 'dhaara-scribe'

describe('a job on workers', () => {
  let expected: Outputs

  before(async function () {
    this.timeout(300_000)
    expected = await expectedOutputs(seed, count)
  })

  for (const [name, harm] of Object.entries(harms)) {
    it(`${name}, time and again, gives what an undisturbed one gives`, async () => {
      const living = new Set<Worker>()
      const born = (worker: Worker): void => {
        living.add(worker)
        worker.once('exit', () => living.delete(worker))
      }
      process.on('worker', born)
      const broker = embeddedBroker({ partitions })
      await send(broker, 'customers', range(customers, customerAt))
      const app = new StreamsApp({
        applicationId: 'crash',
        topology: new URL('./obedient-job.ts', import.meta.url),
        workers: 2,
        broker,
        checkpointInterval: '20ms',
      })
      const states: string[] = []
      app.on('state', ({ to }) => states.push(to))
      await app.start()

      let harms = 0
      let sent = 0
      let told = false
      const producer = broker.producer('orders', { key: serdes.string(), value: serdes.json() })
      const sendMore = (): void => {
        const most = Math.min(count, (app.metrics()['recordsIn'] ?? 0) + ahead)
        for (; sent < most; sent++) void producer.send(orderAt(seed, sent))
        if (sent < count || told) return
        told = true
        void producer.close().then(() => app.endInputs())
      }
      // every few checkpoints, a moment later: before the next one, within it, or after it
      app.on('checkpoint', ({ epoch }) => {
        sendMore()
        if (epoch % 7 !== 0 || harms === 5) return
        const n = harms++
        const doIt = (): void => {
          const scribe = [...living].find(isScribe)
          const workers = [...living].filter((worker) => worker !== scribe)
          if (app.state === 'running' && scribe !== undefined) harm(workers, n, scribe)
        }
        setTimeout(doIt, Math.random() * 40)
      })
      sendMore()
      const { recordsIn } = await app.completed
      process.off('worker', born)

      assert.equal(recordsIn, count + customers)
      assert.ok(states.filter((state) => state === 'rebalancing').length >= 3, states.join(' '))
      assert.equal(living.size, 0)
      assertEqual(await outputsOf(broker), expected)
      await broker[Symbol.asyncDispose]()
    }).timeout(600_000)
  }
})
