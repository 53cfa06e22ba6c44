/** Starts the job on what a killed process has left, tells what that has cost, takes in more, and is killed. */
import { writeSync } from 'node:fs'
import { embeddedBroker, serdes, StreamsApp } from '../../src/index.ts'

const [, , dir, keys] = process.argv as [string, string, string, string]
const before = process.cpuUsage()
const began = performance.now()
const broker = embeddedBroker({ dir, partitions: 4 })
const app = new StreamsApp({
  applicationId: 'restart',
  topology: new URL('./keys-job.ts', import.meta.url),
  workers: 2,
  broker,
})
await app.start()
const { user, system } = process.cpuUsage(before)
writeSync(1, `${JSON.stringify({ cpuMs: (user + system) / 1000, wallMs: performance.now() - began })}\n`)

const sent = Number(keys)
app.on('checkpoint', () => {
  if ((app.metrics()['recordsIn'] ?? 0) >= sent) process.kill(process.pid, 'SIGKILL')
})
const producer = broker.producer('visits', { key: serdes.string(), value: serdes.json() })
for (let i = 0; i < sent; i++) {
  const sending = producer.send({
    key: `visitor-${i}`,
    value: { page: `/page/${i % 97}` },
    timestamp: 1_700_000_000_000,
  })
  if (i % 5000 === 4999) await sending
}
