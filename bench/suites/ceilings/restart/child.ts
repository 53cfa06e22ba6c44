/**
 * One life of an app that keeps a row a key: starts on what the last one left, tells what that took, takes in more, and is
 * killed. Arguments: folder, first key, number of keys, how often a key of these will then have been seen.
 */
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import { FrameBuilder } from '../../../../src/connectors/broker/frame-builder.ts'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../../../src/index.ts'

export interface Life {
  /** From the opening of the database to the running app. */
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakRssMb: number
  /** Rows that came out, and the sum of what they say. */
  readonly rows: number
  readonly sum: number
}

const [, , dir, first, count, seen] = process.argv as [string, string, string, string, string, string]
const keys = Number(count)
const number = serdes.number()
const valueOf = (key: number): number => (key * 31) % 1009

const builder = new StreamsBuilder()
builder
  .stream('visits', { key: number, value: number })
  .groupByKey()
  .aggregate(
    () => ({ count: 0, sum: 0 }),
    (row, value) => {
      row.count++
      row.sum += value
      return row
    },
  )
  .toStream()
  .mapValues(({ count, sum }) => count * 1_000_000 + sum)
  .to('totals', { key: number, value: number })

const before = process.cpuUsage()
const began = performance.now()
const broker = embeddedBroker({ dir, partitions: 1 })
const lease = await openEmbedded(broker)
const app = new StreamsApp({ applicationId: 'restart', topology: builder.build(), broker })
await app.start()
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage(before)

lease.ensureTopic('totals')
let at = lease.log.endOffset('totals', 0)
const until = at + keys
const frames = new FrameBuilder()
for (let i = 0; i < keys; i++) {
  const key = Number(first) + i
  frames.add(number.serialize(key, ''), number.serialize(valueOf(key), ''), 1_700_000_000_000)
  if (!frames.full && i < keys - 1) continue
  const transaction = lease.log.begin(lease.backend.batch())
  transaction.append('visits', 0, frames.finish())
  transaction.commit()
}

while (lease.log.endOffset('totals', 0) < until) await new Promise((resolve) => setTimeout(resolve, 20))
let rows = 0
let sum = 0
while (at < until) {
  const batch = lease.log.fetch('totals', 0, at)!
  for (let i = 0; i < batch.count; i++) {
    const key = number.deserialize(batch.data.subarray(batch.keyStart[i], batch.keyEnd[i]), '')
    const total = number.deserialize(batch.data.subarray(batch.valueStart[i], batch.valueEnd[i]), '')
    if (total === Number(seen) * (1_000_000 + valueOf(key))) rows++
    sum += total
  }
  at = batch.nextOffset
}
const life: Life = {
  seconds,
  cpuSeconds: (user + system) / 1e6,
  peakRssMb: process.resourceUsage().maxRSS / 1024,
  rows,
  sum,
}
process.send?.(life, undefined, undefined, () => process.kill(process.pid, 'SIGKILL'))
