/**
 * An app that counts keys, in a process of its own: `counting.ts BROKERS APP DIR [BYTES]`. When it runs it says what it has
 * restored; with a rate in bytes a second it also says how far it is with that.
 */
import { kafkaBroker, StreamsApp } from '../../../../src/index.ts'
import { counting } from '../counting-topology.ts'

const [brokers = '', app = '', stateDir = '', rate] = process.argv.slice(2)
const running = new StreamsApp({
  applicationId: app,
  broker: kafkaBroker({ brokers: brokers.split(','), sessionTimeout: 3000 }),
  topology: counting(app),
  stateDir,
  strict: true,
  ...(rate === undefined ? {} : { restoreBytesPerSecond: Number(rate) }),
})
const rows = new Map<string, number>()
running.on('restore', ({ store, partition, done, total }) => {
  rows.set(`${store}/${partition}`, total)
  if (rate !== undefined) console.log(JSON.stringify({ done, total }))
})
await running.start()
console.log(JSON.stringify({ restored: rows.values().reduce((sum, n) => sum + n, 0) }))
await running.completed
