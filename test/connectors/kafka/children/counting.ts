/** An app that counts keys, in a process of its own: `counting.ts BROKERS APP DIR`. When it runs it says what it has restored. */
import { kafkaBroker, StreamsApp } from '../../../../src/index.ts'
import { counting } from '../counting-topology.ts'

const [brokers = '', app = '', stateDir = ''] = process.argv.slice(2)
const running = new StreamsApp({
  applicationId: app,
  broker: kafkaBroker({ brokers: brokers.split(','), sessionTimeout: 3000 }),
  topology: counting(app),
  stateDir,
  strict: true,
})
const rows = new Map<string, number>()
running.on('restore', ({ store, partition, total }) => void rows.set(`${store}/${partition}`, total))
await running.start()
console.log(JSON.stringify({ restored: rows.values().reduce((sum, n) => sum + n, 0) }))
await running.completed
