/* oxlint-disable no-unused-expressions */
// biome-ignore-all format: an expected error speaks of the one line below it
/** Wrong uses of joins, windows, tables and asynchronous steps that must not compile, beyond those of `dsl.test-d.ts`. */
import {
  aggregators, collect, count, every, joinWindows, max, serdes, stores, StreamsApp, StreamsBuilder, sum, type Topology, topK, untilTimeLimit, untilWindowCloses, windows,
} from '../../src/index.ts'

interface Order { readonly id: string; readonly city: string; readonly total: number }
interface Payment { readonly id: string; readonly paid: number }
interface City { readonly name: string; readonly state: string }

const text = serdes.string()
const builder = new StreamsBuilder()
const orders = builder.stream('orders', { key: text, value: serdes.json<Order>(), nullKeys: 'drop' })
const payments = builder.stream('payments', { key: text, value: serdes.json<Payment>(), nullKeys: 'drop' })
const byNumber = builder.stream('numbers', { key: serdes.number(), value: serdes.json<Payment>(), nullKeys: 'drop' })
const cities = builder.table('cities', { key: text, value: serdes.json<City>() })
const byId = builder.table('by-id', { key: serdes.number(), value: serdes.json<City>() })
const everywhere = builder.globalTable('everywhere', { key: text, value: serdes.json<City>() })
const spent = stores.keyValue('spent', { key: text, value: serdes.number() })

// ---------------------------------------------------------------------- joins
const window = joinWindows.of('1m').grace('1s')
// @ts-expect-error streams meet in a window
orders.join(payments, (o, p) => o.total - p.paid)
// @ts-expect-error how long late records are taken must be said
orders.join(payments, (o, p) => o.total - p.paid, joinWindows.of('1m'))
// @ts-expect-error keys of another type
orders.join(byNumber, (o, p) => o.total - p.paid, window)
// @ts-expect-error the right side may be missing
orders.leftJoin(payments, (o, p) => o.total - p.paid, window)
// @ts-expect-error either side may be missing
orders.outerJoin(payments, (o, p) => o.total - (p?.paid ?? 0), window)
// @ts-expect-error a stream has no outer join with a table
orders.outerJoin(cities, (o, c) => [o, c])
// @ts-expect-error a table of another key
orders.join(byId, (o, c) => [o.id, c.name])
// @ts-expect-error a row may be missing
orders.leftJoin(cities, (o, c) => c.name)
// @ts-expect-error the global table's key is text
orders.join(everywhere, (o) => o.total, (o, c) => [o.id, c.name])
// @ts-expect-error a foreign key of another type
cities.join(byId, (c) => c.name, (left, right) => [left.name, right.name])
// @ts-expect-error foreign keys have no outer join
cities.outerJoin(byId, (c) => c.name.length, (left, right) => [left, right])
// @ts-expect-error misspelt option
orders.join(cities, (o, c) => [o.id, c.name], { gracee: '1s' })

// ---------------------------------------------------------------------- windows and emission
const grouped = orders.groupByKey()
// @ts-expect-error a hopping window needs to know how far it moves on
windows.hopping('10m')
// @ts-expect-error cumulative windows need steps
windows.cumulative('1d')
// @ts-expect-error windows of a wall clock are never late
windows.tumbling('1m', { clock: 'wall' }).grace('1s')
// @ts-expect-error there is no such mode
grouped.windowedBy(windows.tumbling('1m').noGrace()).emit('final')
// @ts-expect-error there is no such clock
every('1m', { clock: 'processing' })
// @ts-expect-error nothing is late for an unlimited window
grouped.windowedBy(windows.unlimited()).lateTo('late')
// @ts-expect-error a late record is an order
grouped.windowedBy(windows.tumbling('1m').noGrace()).lateTo((late) => late.mapValues((p: Payment) => p.paid))
// @ts-expect-error the key of a windowed table is windowed
grouped.windowedBy(windows.tumbling('1m').noGrace()).count().toStream().to('out', { key: text, value: serdes.number() })

// ---------------------------------------------------------------------- aggregates and tables
// @ts-expect-error every adder adds to the first one's aggregate
grouped.cogroup(() => 0, (n, o) => n + o.total).cogroup(payments.groupByKey(), (s: string, p) => s + p.id)
// @ts-expect-error keys of cogrouped streams are of one type
grouped.cogroup(() => 0, (n, o) => n + o.total).cogroup(byNumber.groupByKey(), (n, p) => n + p.paid)
// @ts-expect-error a rank is something in order
grouped.topN(3, (o) => ({ total: o.total }))
// @ts-expect-error no such field
grouped.aggregate(aggregators({ n: count(), total: sum((o) => o.totl) }))
// @ts-expect-error a sum is of numbers
grouped.aggregate(sum((o) => o.city))
// @ts-expect-error the highest of what is in no order
grouped.aggregate(max((o) => ({ total: o.total })))
const perCity = cities.groupBy((c) => [c.state, c.name.length])
// @ts-expect-error what was counted for the top cannot be taken out
perCity.aggregate(topK((n) => n, 3))
// @ts-expect-error nor from a list
perCity.aggregate(collect((n) => n))
// @ts-expect-error a regrouped table needs to take rows out, too
perCity.aggregate(() => 0, { add: (n: number, size) => n + size })
// @ts-expect-error only windows close
cities.suppress(untilWindowCloses())
// @ts-expect-error the last rows may not be lost by emitting early
untilWindowCloses({ maxRecords: 10, whenFull: 'emitEarly' })
// @ts-expect-error there is no such way
untilTimeLimit('1m', { whenFull: 'spill' })
// @ts-expect-error how long duplicates are remembered must be said
orders.deduplicate((o) => o.id)
// @ts-expect-error one of the two
orders.deduplicate((o) => o.id, { within: '1m', keep: 'last' })
// @ts-expect-error kinds of stores that a step can have
grouped.count({ store: { kind: 'list' } })

// ---------------------------------------------------------------------- asynchronous calls, rules, processors, apps
// @ts-expect-error a call gives a promise
orders.mapAsync((o) => o.total)
// @ts-expect-error orders there are
orders.mapAsync(async (o) => o.total, { ordered: 'partition' })
// @ts-expect-error the fallback's result may be there, too
orders.mapAsync(async (o) => o.total, { fallback: () => 'none' }).mapValues((n) => n.toFixed())
// @ts-expect-error rules have text keys
orders.withBroadcast(builder.stream('rules', { key: text, value: serdes.number() }), (o, rules) => o.total > (rules.get(7) ?? 0))
// @ts-expect-error what is forwarded was declared
orders.process<string, number>((ctx) => ({ process: (o, k) => ctx.forward(o.city, k) }))
// @ts-expect-error a store of numbers
orders.process<string, number>((ctx) => ({ process: (o) => ctx.store(spent).put('all', o.city) }), { stores: [spent] })
// @ts-expect-error the key of `processValues` stays
orders.processValues<number>((ctx) => ({ process: (o, k) => ctx.forward(o.total, k) }))
// @ts-expect-error workers load a module
new StreamsApp({ applicationId: 'a', topology: builder.build() as Topology, workers: 2 })
// @ts-expect-error a savepoint needs a folder
new StreamsApp({ applicationId: 'a', topology: builder.build() as Topology }).savepoint()
