/**
 * A job with more keys than memory: every key is seen once, then a fifth of them once more, in another order. Tells as
 * JSON what it took; ends with an error if a row that went to the database did not come back as it was.
 */
import assert from 'node:assert/strict'
import { openEmbedded } from '../../src/connectors/broker/broker.ts'
import { FrameBuilder } from '../../src/connectors/broker/frame-builder.ts'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'

const [, , dir, count] = process.argv as [string, string, string, string]
const keys = Number(count)
const again = Math.floor(keys / 5)
const MB = 2 ** 20
const cacheBytes = 256 * MB
const number = serdes.number()

/** Steps through all keys, far from one to the next. */
const first = (i: number): number => (i * 7_368_787) % keys
const second = (i: number): number => (i * 15_485_863 + 11) % keys
const firstValue = (key: number): number => key % 1009
const secondValue = (key: number): number => 2000 + (key % 77)

const broker = embeddedBroker({ dir, partitions: 1 })
const lease = await openEmbedded(broker)

function fill(): void {
  lease.ensureTopic('visits')
  const builder = new FrameBuilder()
  const flush = (): void => {
    const transaction = lease.log.begin(lease.backend.batch())
    transaction.append('visits', 0, builder.finishShared())
    transaction.commit()
  }
  const send = (key: number, value: number): void => {
    builder.add(number.serialize(key, ''), number.serialize(value, ''), 1_700_000_000_000)
    if (builder.full) flush()
  }
  for (let i = 0; i < keys; i++) send(first(i), firstValue(first(i)))
  for (let i = 0; i < again; i++) send(second(i), secondValue(second(i)))
  flush()
}

/** Rows of the output, with their keys. */
function* twice(): Generator<readonly [key: number, sum: number]> {
  for (let at = 0; ; ) {
    const batch = lease.log.fetch('twice', 0, at)
    if (batch === undefined) return
    const read = (start: Int32Array, end: Int32Array, i: number) =>
      number.deserialize(batch.data.subarray(start[i], end[i]), '')
    for (let i = 0; i < batch.count; i++)
      yield [read(batch.keyStart, batch.keyEnd, i), read(batch.valueStart, batch.valueEnd, i)]
    at = batch.nextOffset
  }
}

fill()
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
  .filter((row) => row.count === 2)
  .mapValues((row) => row.sum)
  .to('twice', { key: number, value: number })

const app = new StreamsApp({
  applicationId: 'large',
  topology: builder.build(),
  broker,
  cacheBytes,
  memoryBytes: 512 * MB,
})
const began = performance.now()
const cpu = process.cpuUsage()
await app.start()
app.endInputs()
const { recordsIn } = await app.completed
const { user, system } = process.cpuUsage(cpu)
const seconds = (performance.now() - began) / 1000

assert.equal(recordsIn, keys + again)
let rows = 0
for (const [key, sum] of twice()) {
  assert.equal(key, second(rows))
  assert.equal(sum, firstValue(key) + secondValue(key), `key ${key}`)
  rows++
}
assert.equal(rows, again)
await lease.release()
console.log(
  JSON.stringify({
    keys,
    records: recordsIn,
    seconds: Number(seconds.toFixed(1)),
    recordsPerCpuSecond: Math.round(recordsIn / ((user + system) / 1e6)),
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
)
