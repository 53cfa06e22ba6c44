/** An instance of an app whose records come from a source of its own and go to a sink of its own: `own.ts BROKERS APP BOX COUNT WORKERS`. */
import { kafkaBroker, StreamsApp } from '../../../../src/index.ts'
import { ownTopology } from '../own-topology.ts'

const [brokers = '', applicationId = '', box = '', count = '', workers = '0'] = process.argv.slice(2)
const pause = 60
const broker = kafkaBroker({ brokers: brokers.split(','), sessionTimeout: 3000 })
const app = new StreamsApp({
  applicationId,
  ...(workers === '0'
    ? { topology: ownTopology(box, Number(count), pause) }
    : {
        topology: new URL('../own-topology.ts', import.meta.url),
        workers: Number(workers),
        settings: { box, count, pause: String(pause) },
      }),
  broker,
  checkpointInterval: '50ms',
})
await app.start()
await app.completed
await broker[Symbol.asyncDispose]()
