/** One instance in a process of its own: `run-instance.ts BROKERS APP DIR WORKERS CLIENT`. */
import { kafkaBroker, StreamsApp } from '../../../../src/index.ts'
import { counting } from './counting.ts'

const [brokers = '', app = '', stateDir = '', workers = '0', client = 'platformatic'] = process.argv.slice(2)
const say =
  (level: string) =>
  (fields: object, text?: string): void =>
    console.log(new Date().toISOString().slice(11, 23), level, text, JSON.stringify(fields))

const running = new StreamsApp({
  applicationId: app,
  broker: kafkaBroker({ brokers: brokers.split(','), sessionTimeout: 3000, client: client as 'kafkajs' }),
  stateDir,
  standbyReplicas: 1,
  logger: { debug() {}, info: say('info'), warn: say('warn'), error: say('error') },
  ...(workers === '0'
    ? { topology: counting(app).topology }
    : { topology: new URL('./counting.ts', import.meta.url), workers: Number(workers), settings: { app } }),
})
process.once('SIGTERM', () => void running.close())
await running.start()
await running.completed
