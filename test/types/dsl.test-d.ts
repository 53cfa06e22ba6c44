/* oxlint-disable no-unused-expressions, no-unused-vars, unicorn/no-thenable */
// biome-ignore-all format: an expected error speaks of the one line below it
/** What of the DSL must compile, and what must not (`@ts-expect-error`). No lambda parameter is annotated, except where a comment says why. */
import type { Duration, KStream, KTable, Topology, Windowed } from '../../src/index.ts'
import {
  aggregators, approxDistinct, avg, count, duration, every, first, joinWindows, latest, max, quantile, StreamsBuilder, serdes, stores, sum, topK,
  untilTimeLimit, untilWindowCloses, watermarks, windows,
} from '../../src/index.ts'

/** Same type, both ways. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Is<T extends true> = T

interface Order { orderId: string; customerId: string; sellerId: string; category: string; city: string; total: number; ms: number; at: number }
interface Payment { orderId: string; paid: number; at: number }
interface Customer { id: string; tier: 'gold' | 'plain'; regionId: number }
interface Region { id: number; title: string }
type StockEvent = { type: 'order'; size: number; side: 'buy' | 'sell'; at: number } | { type: 'trade'; price: number; at: number } | { type: 'cancel'; reason: string; at: number }

const builder = new StreamsBuilder()
const orders = builder.stream('orders', {
  key: serdes.string(), value: serdes.json<Order>(), timestamp: (o) => o.at, keyOf: (o) => o.customerId,
  watermark: watermarks.boundedOutOfOrderness('5s').withIdleness('30s', { then: 'followClock' }), onInvalid: 'deadLetter',
})
const payments = builder.stream('payments', { key: serdes.string(), value: serdes.json<Payment>(), nullKeys: 'drop' })
const customers = builder.table('customers', { key: serdes.string(), value: serdes.json<Customer>(), store: { kind: 'versioned', history: '1h' } })
const regions = builder.table('regions', { key: serdes.number(), value: serdes.json<Region>() })
const regionsEverywhere = builder.globalTable('regions-all', { key: serdes.number(), value: serdes.json<Region>() })
type _sources = [
  Is<Equal<typeof orders, KStream<string | null, Order>>>, Is<Equal<typeof payments, KStream<string, Payment>>>,
  Is<Equal<typeof customers, KTable<string, Customer, null>>>,
]
const lines = builder.stream(/^logs-/, { value: serdes.string() })
type _lines = Is<Equal<typeof lines, KStream<Uint8Array | null, string>>>
const withNulls = builder.stream('changes', { key: serdes.string(), value: serdes.json<Order>(), tombstones: 'keep' })
// @ts-expect-error a tombstone may come
withNulls.mapValues((o) => o.total)

// ---------------------------------------------------------------------- Flipkart: windowed aggregation, late output, emit modes
const trends = orders
  .filter((o) => o.total > 0)
  .groupBy((o) => o.category)
  .windowedBy(windows.tumbling('1h', { offset: '30m' }).grace('5m'))
  .emit('close')
  .lateTo((late) => late.mapValues((o, key) => ({ key, id: o.orderId })).to('late', { value: serdes.json() }))
  .aggregate(() => ({ orders: 0, revenue: 0 }), (agg, o, category) => {
    agg.orders++
    agg.revenue += o.total + category.length
    return agg
  }, { store: 'trends', merge: (a, b) => ({ orders: a.orders + b.orders, revenue: a.revenue + b.revenue }) })
type _trends = Is<Equal<typeof trends, KTable<Windowed<string>, { orders: number; revenue: number }, never>>>
trends.toStream()
  .filter((t) => t.orders > 100) // rows of this table never vanish: no null
  .map((t, k) => [k.key, { ...t, from: k.window.start, average: Math.floor(t.revenue / t.orders) }])
  .to('trends', { key: serdes.string(), value: serdes.json() })
orders.groupBy((o) => [o.city, o.category]).count().toStream().forEach((n, [city, category]) => { n.toFixed(); city.trim(); category.trim() })
orders.groupBy(() => 'all').windowedBy(windows.cumulative('1d', { step: '1h', timeZone: 'Asia/Kolkata' }).noGrace()).emit(every('1m', { clock: 'wall' })).count()
orders.groupByKey().windowedBy(windows.tumbling('1M', { timeZone: 'Asia/Kolkata' }).grace('1d')).emit('onTime').reduce((a, o) => (a.total > o.total ? a : o), { associative: true })
orders.groupByKey().windowedBy(windows.tumbling('1m', { clock: 'wall' })).count()
orders.groupByKey().windowedBy(windows.count(100)).emit('update').count()
orders.groupByKey().windowedBy(windows.sliding('10m').grace('1m')).topN(3, (o) => o.total)
const sessions = orders.groupByKey()
  .windowedBy((w) => w.session((o, customer) => (o.total > 1000 || customer === 'vip' ? '1h' : '30m')).grace('5m'))
  .aggregate(() => ({ n: 0 }), (a, o) => ({ n: a.n + o.total }), { merge: (a, b, key) => ({ n: a.n + b.n + key.length }) })
type _sessions = Is<Equal<typeof sessions, KTable<Windowed<string>, { n: number }, null>>>

// @ts-expect-error no grace was given
orders.groupByKey().windowedBy(windows.tumbling('1h'))
// @ts-expect-error wrong field
orders.groupBy((o) => o.categry)
// @ts-expect-error misspelt duration literal
windows.tumbling('5x')
// @ts-expect-error calendar units need a time zone
windows.tumbling('1M')
// @ts-expect-error nothing closes a count window by time
orders.groupByKey().windowedBy(windows.count(100)).emit('close')
// @ts-expect-error nor an unlimited one
orders.groupByKey().windowedBy(windows.unlimited()).emit('onTime')
// @ts-expect-error nothing is late for a count window
orders.groupByKey().windowedBy(windows.count(100)).lateTo('late')
// @ts-expect-error sessions need merge
orders.groupByKey().windowedBy(windows.session('30m').grace('5m')).aggregate(() => 0, (n, o) => n + o.total)
// @ts-expect-error wrong field in an adder
orders.groupByKey().aggregate(() => 0, (n, o) => n + o.totl)
// @ts-expect-error the stream of a source table carries deletions
customers.toStream().mapValues((c) => c.tier)
const counts0 = orders.groupByKey().windowedBy(windows.tumbling('1h').noGrace())
const expiring = orders.groupByKey().count({ store: { ttl: '7d' } }).toStream()
// @ts-expect-error windowed stores have a retention, no ttl
counts0.count({ store: { ttl: '7d' } })
type _expiring = Is<Equal<typeof expiring, KStream<string, number | null>>>
// @ts-expect-error misspelt option
orders.groupByKey().count({ store: 'n', naem: 'x' })
// @ts-expect-error misspelt option
orders.groupByKey().aggregate(() => 0, (n, o) => n + o.total, { stroe: 'n', merge: (a, b) => a + b })
builder.stream('marks', { value: serdes.json<Order>(), watermark: (w) => w.punctuated((o, t) => (o.total === 0 ? t : null)).withoutIdleness() })
orders.groupByKey().windowedBy(windows.session((o: Order) => (o.total > 10 ? '1m' : 500)).noGrace()).count() // outside of windowedBy nothing tells o's type
// @ts-expect-error a session over other values
orders.groupByKey().windowedBy(windows.session((e: StockEvent) => e.at).noGrace())
const gap: Duration = duration(String('5s'))

// ---------------------------------------------------------------------- built-in aggregators
const stats = orders.groupBy((o) => o.sellerId).aggregate(aggregators({
  orders: count(), revenue: sum((o) => o.total), mean: avg((o) => o.total), highest: max((o) => o.total),
  cities: topK((o) => o.city, 3), last: latest((o) => o.orderId), opened: first((o) => o.at),
}))
type _stats = Is<Equal<typeof stats extends KTable<string, infer V, never> ? V : never, {
  readonly orders: number; readonly revenue: number; readonly mean: number; readonly highest: number
  readonly cities: readonly { readonly item: string; readonly count: number }[]; readonly last: string; readonly opened: number
}>>
orders.groupByKey().windowedBy(windows.session('5m').noGrace()).aggregate(aggregators({ n: count(), revenue: sum((o) => o.total) }), { store: 's' }).toStream().mapValues((s) => (s ? s.revenue : 0))
orders.groupByKey().aggregate(aggregators({ n: count(), revenue: sum((o) => o.total) }), { store: { name: 's' } }).toStream().mapValues((s) => s.revenue)
const sketches = orders.groupByKey().aggregate(aggregators({ p99: quantile((o) => o.ms, 0.99), users: approxDistinct((o) => [o.customerId, o.city]) }))
type _sketches = Is<Equal<typeof sketches extends KTable<string, infer V, never> ? V : never, { readonly p99: number; readonly users: number }>>
// @ts-expect-error a sketch cannot take a row out again
customers.groupBy((c, id) => [c.tier, id]).aggregate(aggregators({ n: approxDistinct((id: string) => id) }))
// @ts-expect-error wrong field inside
orders.groupByKey().aggregate(aggregators({ revenue: sum((o) => o.totl) }))
const perTier = customers.groupBy((c, id) => [c.tier, id]).aggregate(aggregators({ n: count() }))
type _perTier = Is<Equal<typeof perTier, KTable<'gold' | 'plain', { readonly n: number }, null>>>
// @ts-expect-error a maximum cannot be subtracted
customers.groupBy((c) => [c.tier, c.regionId]).aggregate(max((n) => n))
customers.groupBy((c) => [c.regionId, c]).aggregate(() => ({ n: 0 }), { add: (a, c) => ({ n: a.n + c.id.length }), subtract: (a, c, region) => ({ n: a.n - c.id.length - region }) })
customers.groupBy((c, id) => [c.regionId, id.length]).reduce({ add: (a, n) => a + n, subtract: (a, n) => a - n })
// @ts-expect-error subtract is missing
customers.groupBy((c, id) => [c.regionId, id.length]).reduce({ add: (a, n) => a + n })

// ---------------------------------------------------------------------- joins
const paid = orders.selectKey((o) => o.orderId).join(payments, (o, p, orderId) => ({ orderId, due: o.total - p.paid }), joinWindows.of('10m').before('1m').after('9m').grace('1m'))
type _paid = Is<Equal<typeof paid, KStream<string, { orderId: string; due: number }>>>
const maybePaid = orders.leftJoin(payments, (o, p, key) => ({ key, due: o.total - (p?.paid ?? 0) }), joinWindows.of('10m').noGrace())
type _maybePaid = Is<Equal<typeof maybePaid, KStream<string | null, { key: string | null; due: number }>>>
orders.outerJoin(payments, (o, p) => (o?.total ?? 0) - (p?.paid ?? 0), joinWindows.of('10m').grace(0), { left: serdes.json(), store: 'either' })
const enriched = orders.join(customers, (o, c, id) => ({ ...o, tier: c.tier, id }), { grace: '5s' })
const enrichedLeft = orders.leftJoin(customers, (o, c) => ({ ...o, tier: c?.tier ?? 'plain' }))
const located = orders.join(regionsEverywhere, (o) => o.total, (o, region) => `${o.city} ${region.title}`)
const byKey = customers.join(orders.groupByKey().count(), (c, n, id) => ({ id, tier: c.tier, n }))
type _byKey = Is<Equal<typeof byKey, KTable<string, { id: string; tier: 'gold' | 'plain'; n: number }, null>>>
const outer = customers.outerJoin(orders.groupByKey().count(), (c, n) => ({ tier: c?.tier ?? null, n: n ?? 0 }))
const foreign = customers.join(regions, (c) => c.regionId, (c, r, id) => ({ id, tier: c.tier, region: r.title }), { name: 'region' })
const bothKeep = orders.groupByKey().count().outerJoin(customers, (n, c) => ({ n, c }))
type _bothKeep = Is<Equal<typeof bothKeep, KTable<string, { n: number | null; c: Customer | null }, never>>>
type _foreign = Is<Equal<typeof foreign, KTable<string, { id: string; tier: 'gold' | 'plain'; region: string }, null>>>
const foreignLeft = customers.leftJoin(regions, (c) => (c.regionId > 0 ? c.regionId : null), (c, r) => ({ ...c, region: r?.title }))
enriched.filter((o) => o.tier === 'gold' && o.id !== '').to('gold')

// @ts-expect-error the right side of a left join may be missing
orders.leftJoin(payments, (o, p) => o.total - p.paid, joinWindows.of('10m').noGrace())
// @ts-expect-error wrong joiner parameter: a payment has no tier
orders.join(payments, (o, p) => p.tier, joinWindows.of('10m').noGrace())
// @ts-expect-error join windows without grace
orders.join(payments, (o, p) => p.paid, joinWindows.of('10m'))
// @ts-expect-error a stream and a table have no outer join
orders.outerJoin(customers, (o, c) => [o, c])
// @ts-expect-error keys differ: string and number
orders.join(regions, (o, r) => r.title)
// @ts-expect-error the foreign key must be the other table's key
customers.join(regions, (c) => c.id, (c, r) => r.title)
// @ts-expect-error wrong field of the other row
customers.join(regions, (c) => c.regionId, (c, r) => r.titel)
// @ts-expect-error grace belongs to stream joins
customers.join(customers, (a, b) => a.id + b.id, { grace: '5s' })

// ---------------------------------------------------------------------- the limits of inference
orders.groupByKey().aggregate(() => ({ seen: [] as string[] }), (a, o) => { a.seen.push(o.city); return a })
// @ts-expect-error an empty array in `init` is never[]: say of what it is
orders.groupByKey().aggregate(() => ({ seen: [] }), (a, o) => ({ seen: [...a.seen, o.city] }))
const audit = <V extends { at: number }>(s: KStream<string | null, V>) => s.filter((v) => v.at > 0) // helpers are generic: streams are invariant
audit(orders).mapValues((o) => o.city)
orders.flatMap((o) => [[o.city, o.total], [o.category, o.total]]).mapValues((n) => n.toFixed())

// ---------------------------------------------------------------------- cogroup
const account = orders.groupByKey()
  .cogroup(() => ({ ordered: 0, paid: 0 }), (a, o) => ({ ...a, ordered: a.ordered + o.total }))
  .cogroup(payments.groupByKey(), (a, p, key) => ({ ...a, paid: a.paid + p.paid + key.length }))
account.aggregate({ store: 'accounts' }).toStream().filter((a) => a.paid < a.ordered).to('dunning')
account.windowedBy(windows.hopping('15m', { advance: '5m' }).noGrace()).emit('close').aggregate()
// @ts-expect-error wrong type of aggregate
orders.groupByKey().cogroup(() => ({ n: 0 }), (a, o) => ({ n: o.city }))

// ---------------------------------------------------------------------- split
const ticks = builder.stream('ticks', { key: serdes.string(), value: serdes.json<StockEvent>(), timestamp: (e) => e.at })
const parts = ticks.split()
  .branch('large', (e) => e.type === 'order' && e.size > 50_000)
  .branch('trades', (e) => e.type === 'trade')
  .branch('cancels', (e): e is Extract<StockEvent, { type: 'cancel' }> => e.type === 'cancel')
  .default('rest')
parts.large.filter((e) => e.type === 'order')
parts.trades.mapValues((e) => e.price)
parts.cancels.mapValues((e) => e.reason)
parts.rest.mapValues((e) => e.side)
// @ts-expect-error no such branch
parts.small
// @ts-expect-error a branch of this name exists
ticks.split().branch('a', () => true).branch('a', () => true)
ticks.filter((e) => e.type === 'trade').mapValues((e) => e.price)

// ---------------------------------------------------------------------- suppress, tables
const counts = orders.groupByKey().windowedBy(windows.tumbling('1h').grace('5m')).count()
counts.suppress(untilWindowCloses({ maxRecords: 1000, whenFull: 'spill' })).toStream().map((n, k) => [`${k.key}@${k.window.start}`, n]).to('final')
customers.suppress(untilTimeLimit('2s', { maxBytes: 1 << 20, whenFull: 'emitEarly' }))
customers.transformValues((ctx) => ({ transform: (c, id) => ({ c, id, at: ctx.wallTime }) })).filter((r) => r.c.tier === 'gold')
// @ts-expect-error not a windowed table
customers.suppress(untilWindowCloses())
// @ts-expect-error untilWindowCloses never emits early
untilWindowCloses({ whenFull: 'emitEarly' })

// ---------------------------------------------------------------------- processors, async, broadcast, dedup
interface Alert { customer: string; total: number }
const spent = stores.keyValue('spent', { key: serdes.string(), value: serdes.number(), ttl: '7d' })
const byPlace = stores.keyValue('by-place', { key: serdes.tuple(serdes.string(), serdes.number()), value: serdes.json<Order>() })
const opaque = stores.keyValue('opaque', { key: serdes.json<{ a: string }>(), value: serdes.string() })
const alerts = payments.process<string, Alert>((ctx) => {
  const totals = ctx.store(spent)
  const tick = ctx.schedule('10s', 'wall', (at) => { totals.put('tick', at) })
  return {
    process(p, key, record) {
      const total = (totals.get(key) ?? 0) + p.paid
      totals.put(key, total)
      ctx.timers.set(key, record.timestamp + 60_000, { name: 'idle' })
      for (const [k, v] of totals.range('a', 'b')) ctx.forward({ customer: k, total: v }, key, { headers: { source: 'range' } })
      for (const [k] of ctx.store(byPlace).prefix(['Pune'])) k[1].toFixed()
      // @ts-expect-error not an Alert
      ctx.forward({ customer: key }, key)
      // @ts-expect-error values of this store are numbers
      totals.put(key, 'x')
      ctx.store(customers.store).get(key)?.tier
      // @ts-expect-error a table's store is read-only to others
      ctx.store(customers.store).put(key, null)
      // @ts-expect-error no range on an opaque key serde
      ctx.store(opaque).range(undefined, undefined)
    },
    onTimer(key, at) { ctx.forward({ customer: key, total: 0 }, key, { timestamp: at }) },
    close() { tick[Symbol.dispose]() },
  }
}, { stores: [spent, byPlace, opaque] })
type _alerts = Is<Equal<typeof alerts, KStream<string, Alert>>>
orders.processValues((ctx) => ({ process(o) { if (o.total > 10) ctx.forward(o) } }))
// @ts-expect-error without type arguments the output is of the input's type
orders.processValues((ctx) => ({ process(o) { ctx.forward(o.total) } }))

const scored = payments.mapAsync(async (p, key, { signal, attempt, record }) => ({ key, score: p.paid * attempt, at: record.timestamp, stopped: signal.aborted }), {
  concurrency: 64, ordered: 'key', timeout: '2s', retry: { attempts: 5, backoff: '100ms', jitter: true }, breaker: { failures: 20, openFor: '10s' },
  fallback: (error, p) => ({ unknown: p.orderId, why: error.code }),
})
scored.filter((s) => 'score' in s).mapValues((s) => s.score)
const rules = builder.stream('rules', { key: serdes.string(), value: serdes.json<{ limit: number }>(), tombstones: 'keep' })
orders.withBroadcast(rules, (o, all, key) => ({ o, key, hit: (all.get(o.category)?.limit ?? Infinity) < o.total })).filter((r) => r.hit)
orders.selectKey((o) => o.orderId).deduplicate((o) => o.orderId, { within: '1h' }).to((o) => `orders-${o.city}`, { key: serdes.string(), headers: (o) => ({ city: o.city }), partitioner: (o, key, n) => key.length % n })

export const topology: Topology = builder.build()
