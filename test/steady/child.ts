/**
 * A job under steady load: state that is larger than its cache, windows, sessions, a log that forgets. Each second it
 * collects garbage and tells, as a line of JSON, what memory is in use. Arguments: folder, seconds.
 */
import { openEmbedded } from '../../src/connectors/broker/broker.ts'
import { FrameBuilder } from '../../src/connectors/broker/frame-builder.ts'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, watermarks, windows } from '../../src/index.ts'

export interface Sample {
  readonly second: number
  readonly heapMb: number
  /** Buffers outside of the JavaScript heap. */
  readonly buffersMb: number
  readonly rssMb: number
  readonly records: number
}

const [, , dir, length] = process.argv as [string, string, string, string]
const seconds = Number(length)
const MB = 2 ** 20
const memoryBytes = 128 * MB
/** Records a second, in slices of 20 ms. */
const rate = 10_000
const slice = rate / 50
const keys = 60_000
/** What may wait in the log; its retention is longer than that takes. */
const mostBehind = 5 * rate

interface Order {
  readonly customer: number
  readonly amount: number
}

const builder = new StreamsBuilder()
const orders = builder.stream('orders', {
  value: serdes.json<Order>(),
  watermark: watermarks.boundedOutOfOrderness('100ms'),
})
const grouped = orders.groupBy((order) => order.customer)
const sum = (total: number, { amount }: Order): number => total + amount
const out = { key: serdes.json(), value: serdes.json() }
grouped
  .aggregate(() => 0, sum)
  .toStream()
  .to('totals', out)
grouped
  .windowedBy(windows.tumbling('2s').grace('100ms'))
  .emit('close')
  .aggregate(() => 0, sum)
  .toStream()
  .map((total, { key }) => [key, total])
  .to('windows', out)
grouped
  .windowedBy(windows.session('500ms').noGrace())
  .emit('close')
  .aggregate(() => 0, sum, { merge: (a, b) => a + b })
  .toStream()
  .map((total, { key }) => [key, total])
  .to('sessions', out)

const broker = embeddedBroker({ dir, partitions: 1, retention: '30s' })
const lease = await openEmbedded(broker)
lease.ensureTopic('orders')
const app = new StreamsApp({ applicationId: 'steady', topology: builder.build(), broker, memoryBytes })
await app.start()

const frames = new FrameBuilder()
let sent = 0
function send(): void {
  const position = app.positionOf('orders', 0) ?? 0
  if (lease.log.endOffset('orders', 0) - position > mostBehind) return
  const now = Date.now()
  for (let i = 0; i < slice; i++, sent++) {
    const order = { customer: (sent * 7919) % keys, amount: sent % 1000, note: 'n'.repeat(sent % 60) }
    frames.addText(null, JSON.stringify(order), now)
  }
  const transaction = lease.log.begin(lease.backend.batch())
  transaction.append('orders', 0, frames.finishShared())
  transaction.commit()
}

function tell(second: number): void {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  const sample: Sample = {
    second,
    heapMb: Math.round(heapUsed / MB),
    buffersMb: Math.round(arrayBuffers / MB),
    rssMb: Math.round(rss / MB),
    records: app.metrics()['recordsIn'] ?? 0,
  }
  console.log(JSON.stringify(sample))
}

tell(0)
const sending = setInterval(send, 20)
for (let second = 1; second <= seconds; second++) {
  await new Promise((resolve) => setTimeout(resolve, 1000))
  tell(second)
}
clearInterval(sending)
await app.close()
await lease.release()
