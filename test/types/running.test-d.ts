/* oxlint-disable no-unused-expressions, no-unused-vars */
// biome-ignore-all format: an expected error speaks of the one line below it
/** What of running an app, and of brokers for users' own code, must and must not compile. */
import { type AppState, type Broker, DhaaraError, embeddedBroker, type Logger, type RunSummary, serdes, StreamsApp, StreamsBuilder, type Topology, type TopologyModule } from '../../src/index.ts'

interface Alert { total: number }
const topology: Topology = new StreamsBuilder().build()

export const whole: TopologyModule = { default: async (env) => (env.settings['x'] ? topology : new StreamsBuilder().build()), setup: async ({ worker, logger }) => logger.info({ worker }, 'up'), options: { checkpointInterval: '1s' } }
// @ts-expect-error what it exports is a topology, or makes one
export const wrong: TopologyModule = { default: new StreamsBuilder() }

// ---------------------------------------------------------------------- running
async function running(): Promise<void> {
  await using app = new StreamsApp({ applicationId: 'flipkart', topology, broker: embeddedBroker({ dir: './data' }), checkpointInterval: '100ms', errors: { data: 'deadLetter', user: (e) => (e.retryable ? 'retry' : 'fail') } })
  new StreamsApp({ applicationId: 'big', topology: new URL('./topology.ts', import.meta.url), workers: 4, settings: { region: 'south' } })
  new StreamsApp({ applicationId: 'one', topology, workers: 0, signal: AbortSignal.timeout(5) })
  // @ts-expect-error functions cannot be sent to workers: they load the module
  new StreamsApp({ applicationId: 'big', topology, workers: 4 })
  // @ts-expect-error an app has a name
  new StreamsApp({ topology })
  // @ts-expect-error no such unit
  new StreamsApp({ applicationId: 'a', topology, checkpointInterval: '100 millis' })
  // @ts-expect-error no such policy
  new StreamsApp({ applicationId: 'a', topology, errors: { data: 'ignore' } })
  // @ts-expect-error a topology, not the builder of one
  new StreamsApp({ applicationId: 'a', topology: new StreamsBuilder() })
  app.on('state', ({ from, to }) => { const state: AppState = from === to ? from : to; return state })
  app.on('checkpoint', ({ epoch, ms, bytes }) => epoch + ms + bytes)[Symbol.dispose]()
  app.on('error', (e) => e.code.startsWith('DHAARA_'))
  // @ts-expect-error no such event
  app.on('stop', () => {})
  await app.start()
  const state: AppState = app.state
  // @ts-expect-error the app's own
  app.state = 'running'
  app.metrics().recordsIn?.toFixed()
  await app.close({ timeout: '5s' })
  const summary: RunSummary = await app.completed
  summary.late.trends?.toFixed()
  await app.completed.catch((e: unknown) => e instanceof DhaaraError && e.domain)
}

// ---------------------------------------------------------------------- brokers
async function brokers(): Promise<void> {
  const broker: Broker = embeddedBroker({ partitions: 4, retention: '7d' })
  // @ts-expect-error made by embeddedBroker or kafkaBroker, not by hand
  const mine: Broker = { kind: 'mine', producer: broker.producer, consumer: broker.consumer }
  await using producer = broker.producer('alerts', { key: serdes.string(), value: serdes.json<Alert>() })
  await producer.send({ key: 'a', value: { total: 1 }, headers: { trace: 'x' } })
  await producer.send({ key: null, value: null })
  // @ts-expect-error wrong value
  await producer.send({ key: 'a', value: { totals: 1 } })
  // @ts-expect-error wrong key
  await producer.send({ key: 1, value: { total: 1 } })
  for await (const { key, value } of broker.consumer('alerts', { key: serdes.string(), value: serdes.json<Alert>(), from: 'end' })) {
    key?.toUpperCase()
    value?.total.toFixed()
    // @ts-expect-error a deletion has no value
    value.total
  }
  const logger: Logger = { debug() {}, info() {}, warn() {}, error(o, msg) { Object.keys(o).join(msg) } }
  new StreamsApp({ applicationId: 'a', topology, broker, logger })
}
