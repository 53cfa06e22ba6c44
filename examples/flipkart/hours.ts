import { type KStream, windows } from '../../src/index.ts'
import { countIn, type Tally } from '../lib/tally.ts'
import { json, windowedJson } from '../lib/topics.ts'
import { type Alert, sendAlerts } from './alerts.ts'
import { type OrderEvent, valueOf } from './events.ts'

const TRENDING = 100
const PEAK = 10_000
const hour = windows.tumbling('1h').grace('5m')

/** Each category's hours: one final row when an hour closes, an alert as soon as a category is trending. */
export function categoryTrends(orders: KStream<string, OrderEvent>): void {
  const perHour = orders.groupBy((order) => order.category).windowedBy(hour)

  perHour
    .emit('close')
    .aggregate(
      () => ({ orders: 0, revenuePaise: 0 }),
      (trend, order) => {
        trend.orders++
        trend.revenuePaise += valueOf(order)
        return trend
      },
      { store: { name: 'category-trends', retention: '1d' } },
    )
    .toStream()
    .mapValues(({ orders, revenuePaise }) => ({
      orders,
      revenuePaise,
      avgOrderPaise: Math.floor(revenuePaise / orders),
      trending: orders > TRENDING,
    }))
    .to('flipkart-category-trends', windowedJson)

  sendAlerts(
    perHour
      .count({ store: 'category-counts' })
      .toStream()
      .filter((orders) => orders === TRENDING + 1)
      .map<string, Alert>((orders, { key: category, window }) => [
        category,
        { type: 'trending_category', category, windowStart: window.start, orders },
      ]),
  )
}

/** The whole shop by the hour. An order that comes when its hour is closed goes to a topic of its own. */
export function hourlyTotals(orders: KStream<string, OrderEvent>): void {
  const perHour = orders.groupBy(() => 'all').windowedBy(hour)

  perHour
    .emit('close')
    .lateTo((late) =>
      late
        .map(({ orderId, category, timestamp }) => [orderId, { orderId, category, timestamp }])
        .to('flipkart-late', json),
    )
    .aggregate(newHour, addOrder, { store: 'hourly-totals' })
    .toStream()
    .mapValues((total) => ({ ...total, peak: total.orders > PEAK }))
    .to('flipkart-hourly', windowedJson)

  sendAlerts(
    perHour
      .count({ store: 'hourly-counts' })
      .toStream()
      .filter((orders) => orders === PEAK + 1)
      .map<string, Alert>((orders, { key, window }) => [
        key,
        { type: 'peak_traffic', windowStart: window.start, orders },
      ]),
  )
}

interface Hour {
  orders: number
  revenuePaise: number
  cities: Tally
  payments: Tally
}

function newHour(): Hour {
  return { orders: 0, revenuePaise: 0, cities: {}, payments: {} }
}

function addOrder(total: Hour, order: OrderEvent): Hour {
  total.orders++
  total.revenuePaise += valueOf(order)
  countIn(total.cities, order.deliveryCity)
  countIn(total.payments, order.paymentMethod)
  return total
}
