/** What is killed: two repartitions in a row, windows, sessions, timers, tables with retractions. */
import { type KStream, StreamsBuilder, serdes, stores, watermarks, windows } from '../../src/index.ts'
import type { Customer, Order } from './orders.ts'

const builder = new StreamsBuilder()
const text = serdes.string()
const json = { key: text, value: serdes.json<object>() }
const watermark = watermarks.boundedOutOfOrderness('5s').withoutIdleness()

const orders = builder.stream('orders', { key: text, value: serdes.json<Order>(), watermark })
const customers = builder.table('customers', { key: text, value: serdes.json<Customer>() })

orders
  .groupByKey()
  .aggregate(
    () => ({ orders: 0, paid: 0 }),
    (spent, { amount }) => {
      spent.orders++
      spent.paid += amount
      return spent
    },
    { store: 'spent' },
  )
  .toStream()
  .to('spent', json)

orders.join(customers, ({ city, amount }, { tier }) => ({ city, amount, tier })).to('with-tier', json)

orders
  .groupByKey()
  .windowedBy(windows.session('1s').grace('5s'))
  .emit('close')
  .count()
  .toStream()
  .map((count, { key, window }) => [`${key} ${window.start}`, { count, end: window.end }])
  .to('sessions', json)

// one customer's last city, counted by city: each move takes one off and adds one
orders
  .groupByKey()
  .reduce((_, order) => order, { store: 'last-order' })
  .groupBy(({ city }) => [city, 1])
  .count({ store: 'living-in' })
  .toStream()
  .mapValues((count) => ({ count }))
  .to('living-in', json)

const byCity = orders.selectKey(({ city }) => city).repartition()

byCity
  .groupByKey()
  .count({ store: 'city-counts' })
  .toStream()
  .mapValues((count) => ({ count }))
  .to('city-counts', json)

inQuarters(byCity).to('quarters', json)

const cityWindows = byCity
  .groupByKey()
  .windowedBy(windows.hopping('10s', { advance: '5s' }).noGrace())
  .emit('close')
  .aggregate(
    () => ({ count: 0, sum: 0 }),
    ({ count, sum }, { amount }) => ({ count: count + 1, sum: sum + amount }),
    { store: 'city-windows', merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }) },
  )
  .toStream()
  .map(({ count, sum }, { key, window }) => [key, { city: key, start: window.start, count, sum }])

cityWindows.map((row) => [`${row.city} ${row.start}`, row]).to('city-windows', json)

const byRegion = cityWindows.groupBy(({ city }) => (city < 'K' ? 'north' : 'south'))

byRegion
  .aggregate(
    () => ({ windows: 0, sum: 0 }),
    (region, { sum }) => ({ windows: region.windows + 1, sum: region.sum + sum }),
    { store: 'regions' },
  )
  .toStream()
  .to('regions', json)

byRegion
  .windowedBy(windows.tumbling('20s').grace('10s'))
  .emit('close')
  .count({ store: 'region-windows' })
  .toStream()
  .map((count, { key, window }) => [`${key} ${window.start}`, { count }])
  .to('region-windows', json)

/** Orders of each quarter of a minute, by state and timers of its own. */
function inQuarters(stream: KStream<string, Order>): KStream<string, object> {
  const counts = stores.keyValue('quarter-counts', { key: text, value: serdes.number() })
  return stream.process<string, object>(
    (ctx) => {
      const store = ctx.store(counts)
      return {
        process(_, city, { timestamp }) {
          const end = (Math.floor(timestamp / 15_000) + 1) * 15_000
          const key = `${city} ${end}`
          store.put(key, (store.get(key) ?? 0) + 1)
          ctx.timers.set(city, end, { name: String(end) })
        },
        onTimer(city, at) {
          const key = `${city} ${at}`
          ctx.forward({ count: store.get(key) ?? 0 }, key)
          store.delete(key)
        },
      }
    },
    { stores: [counts] },
  )
}

export default builder.build()
