/** An app that counts keys, in a process of its own: `counting.ts BROKERS APP DIR`. When it runs it says what it has restored. */
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder } from '../../../../src/index.ts'

const [brokers = '', app = '', stateDir = ''] = process.argv.slice(2)
const builder = new StreamsBuilder()
builder
  .stream(`${app}.in`, { key: serdes.string(), value: serdes.string() })
  .groupByKey()
  .count({ name: 'counts' })
  .toStream()
  .to(`${app}.out`, { key: serdes.string(), value: serdes.json<number>() })

const running = new StreamsApp({
  applicationId: app,
  broker: kafkaBroker({ brokers: brokers.split(','), sessionTimeout: 6000 }),
  topology: builder.build(),
  stateDir,
  strict: true,
})
const rows = new Map<string, number>()
running.on('restore', ({ store, partition, total }) => void rows.set(`${store}/${partition}`, total))
await running.start()
console.log(JSON.stringify({ restored: rows.values().reduce((sum, n) => sum + n, 0) }))
await running.completed
