/** An instance of an app whose records come from a source of its own and go to a sink of its own: `own.ts BROKERS APP BOX COUNT`. */
import { kafkaBroker, StreamsApp } from '../../../../src/index.ts'
import { ownTopology } from '../own-topology.ts'

const [brokers = '', applicationId = '', box = '', count = ''] = process.argv.slice(2)
const broker = kafkaBroker({ brokers: brokers.split(','), sessionTimeout: 6000 })
const app = new StreamsApp({
  applicationId,
  topology: ownTopology(box, Number(count), 60),
  broker,
  checkpointInterval: '50ms',
})
await app.start()
await app.completed
await broker[Symbol.asyncDispose]()
