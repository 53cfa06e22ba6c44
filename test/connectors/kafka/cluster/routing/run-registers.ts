/** An instance in a process of its own, told to by `run-registers.ts BROKERS APP TOPIC DIR WORKERS`; it says its URL. */
import { kafkaBroker, StreamsApp } from '../../../../../src/index.ts'
import { registers } from '../../../../engine/query/linearity/registers.ts'

const [brokers = '', app = '', topic = '', stateDir = '', workers = '0'] = process.argv.slice(2)
const program =
  workers === '0'
    ? { topology: registers(topic) }
    : {
        topology: new URL('../../../../engine/query/linearity/registers.ts', import.meta.url),
        workers: Number(workers),
        settings: { topic },
      }
const running = new StreamsApp({
  applicationId: app,
  broker: kafkaBroker({ brokers: brokers.split(','), sessionTimeout: 6000 }),
  stateDir,
  http: { port: 0 },
  ...program,
})
process.once('SIGTERM', () => void running.close())
process.once('disconnect', () => process.exit(1))
await running.start()
process.send?.(running.httpUrl)
await running.completed
process.exit()
