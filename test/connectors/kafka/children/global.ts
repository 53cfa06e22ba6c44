/** Joins orders with a global table of names of cities, in a process of its own: `global.ts BROKERS APP DIR`. */
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'

export interface Named {
  readonly n: number
  readonly name: string
}

function naming(app: string): Topology {
  const builder = new StreamsBuilder()
  const names = builder.globalTable(`${app}.names`, { key: serdes.string(), value: serdes.string() })
  builder
    .stream(`${app}.in`, { key: serdes.string(), value: serdes.json<{ n: number; city: string }>() })
    .join(
      names,
      ({ city }) => city,
      ({ n }, name): Named => ({ n, name }),
    )
    .to(`${app}.out`, { key: serdes.string(), value: serdes.json<Named>() })
  return builder.build()
}

const [brokers = '', app = '', stateDir = ''] = process.argv.slice(2)
const running = new StreamsApp({
  applicationId: app,
  broker: kafkaBroker({ brokers: brokers.split(','), sessionTimeout: 3000 }),
  topology: naming(app),
  stateDir,
})
process.once('SIGTERM', () => void running.close())
await running.start()
console.log('running')
await running.completed
