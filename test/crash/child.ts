/**
 * A process to be killed: sends what is missing of the orders while it runs the job, until all of them are processed.
 * What it has to tell is written at once, a line of JSON each.
 */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { openEmbedded } from '../../src/connectors/broker/broker.ts'
import { embeddedBroker, serdes, StreamsApp } from '../../src/index.ts'
import { partitions } from './expected.ts'
import type { Line, Position, Task } from './lives.ts'
import { customerAt, customers, orderAt } from './orders.ts'

const { dir, seed, count, ahead, workers } = JSON.parse(process.argv[2] as string) as Task
const tell = (line: Line): void => void writeSync(1, `${JSON.stringify(line)}\n`)
const started = performance.now()

const broker = embeddedBroker({ dir, partitions })
const stop = new AbortController()
let stuck: Worker
process.on('worker', (worker) => {
  if (worker.threadName !== 'dhaara-scribe') stuck = worker
})
process.once('SIGTERM', () => {
  stop.abort()
  // a worker that never ends keeps the app from closing
  if (process.env['STUCK'] !== undefined) stuck.postMessage('block')
})

const { log, ensureTopic, release } = await openEmbedded(broker)
const inTopic = (topic: string): number => {
  let n = 0
  for (let p = 0; p < ensureTopic(topic).partitions; p++) n += log.endOffset(topic, p)
  return n
}
const sent = { customers: inTopic('customers'), orders: inTopic('orders') }
const producerOf = (topic: string) => broker.producer(topic, { key: serdes.string(), value: serdes.json() })

await using tables = producerOf('customers')
for (let i = sent.customers; i < customers; i++) void tables.send(customerAt(i))
await tables.flush()

/** What was processed in former lives. */
let before = 0
const restored = (fields: object, message?: string): void => {
  if (message !== 'tasks restored') return
  const { positions } = fields as { positions: readonly Position[] }
  for (const [, , offset] of positions) before += offset
  tell({ type: 'restored', positions })
}
const app = new StreamsApp({
  applicationId: 'crash',
  topology: new URL('./obedient-job.ts', import.meta.url),
  workers,
  broker,
  checkpointInterval: '20ms',
  signal: stop.signal,
  logger: { debug: restored, info() {}, warn() {}, error() {} },
})
app.on('checkpoint', ({ epoch }) => tell({ type: 'checkpoint', epoch, recordsIn: app.metrics()['recordsIn'] ?? 0 }))
const opened = performance.now()
await app.start()
tell({ type: 'running', openMs: opened - started, startMs: performance.now() - opened })

await using orders = producerOf('orders')
const missing = (): number => inTopic('orders') + inTopic('customers') - before - (app.metrics()['recordsIn'] ?? 0)
for (let i = sent.orders; i < count && !stop.signal.aborted; await sleep(2)) {
  const most = Math.min(count, i + ahead - missing())
  for (; i < most; i++) void orders.send(orderAt(seed, i))
  await orders.flush()
}
if (!stop.signal.aborted) app.endInputs()
const { recordsIn } = await app.completed
tell({ type: stop.signal.aborted ? 'stopped' : 'done', recordsIn })
await release()
