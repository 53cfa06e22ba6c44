/* oxlint-disable no-unused-expressions, no-unused-vars */
// biome-ignore-all format: an expected error speaks of the one line below it
/** What of running an app, and of brokers for users' own code, must and must not compile. */
import { type AppState, type Broker, DhaaraError, embeddedBroker, type Logger, type RunSummary, serdes, StreamsApp, StreamsBuilder, stores, type Topology, type TopologyModule, windows } from '../../src/index.ts'

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
  new StreamsApp({ applicationId: 'big', topology: new URL('./topology.ts', import.meta.url), workers: 1, cpus: { queries: [0], tasks: [1, 2] } })
  // @ts-expect-error the other threads go somewhere, too
  new StreamsApp({ applicationId: 'one', topology, cpus: { queries: [0] } })
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

// ---------------------------------------------------------------------- queries
interface Order { city: string; total: number; tier: string }
const builder = new StreamsBuilder()
const orders = builder.stream('orders', { key: serdes.string(), value: serdes.json<Order>(), nullKeys: 'drop' })
const customers = orders.toTable({ store: 'customers' })
const counts = orders.groupByKey().windowedBy(windows.tumbling('1h').noGrace()).count()
const byPlace = orders.groupBy((o) => [o.city, o.tier] as const).count()
const byObject = orders.groupBy((o) => ({ city: o.city })).count()
const opaque = stores.keyValue('opaque', { key: serdes.json<string>(), value: serdes.number() })
const lists = stores.list('lists', { key: serdes.string(), value: serdes.number() })
async function queries(app: StreamsApp): Promise<void> {
  const rows = app.store(customers.store)
  const c = await rows.get('c1', { isolation: 'latest' })
  c?.tier
  // @ts-expect-error it may not be there
  c.tier
  for (const row of await rows.getMany(['a', 'b'])) row?.total
  for await (const [id, row] of rows.range('a', 'b', { limit: 10, reverse: true })) id.length + row.tier.length
  for await (const [window, n] of app.store(counts.store).fetch('c1', 0, Date.now())) window.window.start + n
  for await (const [k] of app.store(byPlace.store).prefix(['Pune'])) k[0].length
  for await (const change of rows.subscribe({ prefix: 'c' })) change.value?.tier
  app.observe(customers.store).subscribe((change) => change.value?.total)
  app.observe(counts.store).subscribe(({ key, value }) => key.window.start + (value ?? 0))
  app.observe('alerts', { value: serdes.json<Alert>() }).subscribe({ next: (r) => r.value.total })
  // @ts-expect-error a row may be gone
  app.observe(customers.store).subscribe((change) => change.value.total)
  // @ts-expect-error wrong key type
  rows.subscribe(5)
  const scan = rows.all({ limit: 10 })
  const cursor: string | undefined = (await scan.toArray(), scan.cursor)
  ;(await app.store(lists).get('a')).map((n) => n.toFixed())
  for await (const [key, value] of app.store('trends').all()) {
    // @ts-expect-error by name types are unknown
    value.orders
    key
  }
  // @ts-expect-error no range on an opaque key serde
  app.store(opaque).range()
  // @ts-expect-error keys of a window store are fetched, not got
  app.store(counts.store).range('a', 'b')
  // @ts-expect-error wrong key type
  await rows.get(5)
  // @ts-expect-error no such isolation
  await rows.get('a', { isolation: 'dirty' })
  await app.store(byObject.store).get({ city: 'Pune' })
  // @ts-expect-error objects have no order
  app.store(byObject.store).prefix({ city: 'Pune' })
  // @ts-expect-error lists are got by their key
  app.store(lists).all()
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
