/** One instance of an app that copies each order and counts them by city: `counting.ts BROKERS APP DIR`. */
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder } from '../../../../src/index.ts'

const [brokers = '', app = '', stateDir = ''] = process.argv.slice(2)

const builder = new StreamsBuilder()
const orders = builder.stream(`${app}.orders`, {
  key: serdes.string(),
  value: serdes.json<{ n: number; city: string }>(),
})
orders.mapValues(({ n }) => n).to(`${app}.copies`, { key: serdes.string(), value: serdes.json<number>() })
orders
  .groupBy(({ city }) => city, { key: serdes.string() })
  .count({ name: 'cities' })
  .toStream()
  .mapValues((count, city) => ({ city, count }))
  .to(`${app}.counts`, { key: serdes.string(), value: serdes.json<{ city: string; count: number }>() })

const running = new StreamsApp({
  applicationId: app,
  broker: kafkaBroker({ brokers: brokers.split(','), sessionTimeout: 3000 }),
  stateDir,
  topology: builder.build(),
  logger: {
    debug() {},
    info: (o: object, m?: string) => console.log('info', m, JSON.stringify(o)),
    warn: (o: object, m?: string) => console.log('warn', m, JSON.stringify(o)),
    error: (o: object, m?: string) => console.log('error', m, JSON.stringify(o)),
  },
})
process.once('SIGTERM', () => void running.close())
await running.start()
console.log('running')
await running.completed
