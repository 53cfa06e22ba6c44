import type { OrderEvent } from '../../examples/flipkart/events.ts'
import type { Mode, Row } from './compare.ts'

/**
 * What the Flipkart job must put out, computed in plain loops over the events in the order of their arrival in one partition.
 * Slow and obvious on purpose; it shares nothing with the topology.
 */
export const flipkartModes: Record<string, Mode> = {
  'flipkart-customers': 'last',
  'flipkart-sellers': 'last',
  'flipkart-cities': 'last',
  'flipkart-category-trends': 'closed',
  'flipkart-hourly': 'closed',
  'flipkart-inventory': 'last',
  'flipkart-order-status': 'last',
  'flipkart-status-counts': 'last',
  'flipkart-fraud': 'multiset',
  'flipkart-alerts': 'multiset',
  'flipkart-late': 'multiset',
}

const HOUR = 3_600_000
const STAGES = ['order_placed', 'payment_success', 'shipped', 'delivered']

export function flipkartModel(events: readonly OrderEvent[]): Record<string, Row[]> {
  const orders = events.filter((event) => event.eventType === 'order_placed')
  const windows = hourWindows(events)
  return {
    'flipkart-customers': customers(orders),
    'flipkart-sellers': sellers(orders),
    'flipkart-cities': cities(orders),
    'flipkart-category-trends': windows.trends,
    'flipkart-hourly': windows.hourly,
    'flipkart-inventory': inventory(orders),
    'flipkart-order-status': orderStatus(events),
    'flipkart-status-counts': statusCounts(events),
    'flipkart-fraud': fraud(orders),
    'flipkart-alerts': [
      ...vipCustomers(orders),
      ...topSellers(orders),
      ...highDemandCities(orders),
      ...windows.alerts,
      ...rapidOrders(orders),
      ...manualReviews(orders),
      ...remoteDeliveries(orders),
      ...stockAlerts(orders),
    ],
    'flipkart-late': windows.late,
  }
}

/** Rule 1 */
function customers(orders: readonly OrderEvent[]): Row[] {
  return group(orders, (order) => order.customerId).map(([customerId, own]) => {
    const spentPaise = sumOf(own, valueOf)
    return {
      key: customerId,
      value: {
        orders: own.length,
        spentPaise,
        avgOrderPaise: Math.floor(spentPaise / own.length),
        cities: distinct(own.map((order) => order.deliveryCity)),
        favouriteCategory: mostFrequent(own.map((order) => order.category)),
        preferredPayment: mostFrequent(own.map((order) => order.paymentMethod)),
        lastOrderAt: Math.max(...own.map((order) => order.timestamp)),
        vip: spentPaise > 10_000_000,
      },
    }
  })
}

function vipCustomers(orders: readonly OrderEvent[]): Row[] {
  const alerts: Row[] = []
  for (const [customerId, own] of group(orders, (order) => order.customerId)) {
    let spentPaise = 0
    for (const order of own) {
      spentPaise += valueOf(order)
      if (spentPaise > 10_000_000) {
        const value = { type: 'vip_customer', customerId, orderId: order.orderId, spentPaise }
        alerts.push({ key: customerId, value })
        break
      }
    }
  }
  return alerts
}

/** Rule 2 */
function sellers(orders: readonly OrderEvent[]): Row[] {
  return group(orders, (order) => order.sellerId).map(([sellerId, own]) => {
    const revenuePaise = sumOf(own, valueOf)
    return {
      key: sellerId,
      value: {
        orders: own.length,
        revenuePaise,
        avgOrderPaise: Math.floor(revenuePaise / own.length),
        categories: distinct(own.map((order) => order.category)),
        cities: distinct(own.map((order) => order.deliveryCity)),
        scoreX100: sellerScore(own),
      },
    }
  })
}

function sellerScore(own: readonly OrderEvent[]): number {
  const revenue = Math.min(Math.floor(sumOf(own, valueOf) / 10_000), 5000)
  const orders = Math.min(own.length, 3000)
  const variety = Math.min(500 * distinct(own.map((order) => order.category)).length, 2000)
  return revenue + orders + variety
}

/** No part of the score ever falls, so a seller who has passed 9000 at the end has passed it once. */
function topSellers(orders: readonly OrderEvent[]): Row[] {
  return group(orders, (order) => order.sellerId)
    .filter(([, own]) => sellerScore(own) > 9000)
    .map(([sellerId]) => ({ key: sellerId, value: { type: 'top_seller', sellerId } }))
}

/** Rule 3 */
function cities(orders: readonly OrderEvent[]): Row[] {
  return group(orders, (order) => order.deliveryCity).map(([city, own]) => {
    const gmvPaise = sumOf(own, valueOf)
    const categories = own.map((order) => order.category)
    return {
      key: city,
      value: {
        orders: own.length,
        gmvPaise,
        avgOrderPaise: Math.floor(gmvPaise / own.length),
        categories: tally(categories),
        payments: tally(own.map((order) => order.paymentMethod)),
        topCategories: byFrequency(categories).slice(0, 3),
      },
    }
  })
}

function highDemandCities(orders: readonly OrderEvent[]): Row[] {
  return group(orders, (order) => order.deliveryCity)
    .filter(([, own]) => own.length > 1000)
    .map(([city]) => ({ key: city, value: { type: 'high_demand_city', city, orders: 1001 } }))
}

/** Rules 4 and 5: an order counts in its hour unless the watermark has closed that hour before the order arrives. */
function hourWindows(events: readonly OrderEvent[]) {
  const late: Row[] = []
  const inTime: OrderEvent[] = []
  let highest = Number.NEGATIVE_INFINITY
  for (const event of events) {
    const watermark = highest - 30_000 - 1
    if (event.eventType === 'order_placed') {
      const end = hourOf(event) + HOUR
      if (watermark >= end + 300_000 - 1) {
        const { orderId, category, timestamp } = event
        late.push({ key: orderId, value: { orderId, category, timestamp } })
      } else {
        inTime.push(event)
      }
    }
    highest = Math.max(highest, event.timestamp)
  }

  const trends: Row[] = []
  const hourly: Row[] = []
  const alerts: Row[] = []
  for (const [, ofHour] of group(inTime, (order) => String(hourOf(order)))) {
    const start = hourOf(ofHour[0] as OrderEvent)
    const window = { start, end: start + HOUR }
    for (const [category, own] of group(ofHour, (order) => order.category)) {
      const revenuePaise = sumOf(own, valueOf)
      const trending = own.length > 100
      const avgOrderPaise = Math.floor(revenuePaise / own.length)
      trends.push({
        key: { key: category, window },
        value: { orders: own.length, revenuePaise, avgOrderPaise, trending },
      })
      if (trending) {
        const value = { type: 'trending_category', category, windowStart: start, orders: 101 }
        alerts.push({ key: category, value })
      }
    }
    const peak = ofHour.length > 10_000
    hourly.push({
      key: { key: 'all', window },
      value: {
        orders: ofHour.length,
        revenuePaise: sumOf(ofHour, valueOf),
        cities: tally(ofHour.map((order) => order.deliveryCity)),
        payments: tally(ofHour.map((order) => order.paymentMethod)),
        peak,
      },
    })
    if (peak) alerts.push({ key: 'all', value: { type: 'peak_traffic', windowStart: start, orders: 10_001 } })
  }
  return { trends, hourly, alerts, late }
}

/** Rule 6 */
function fraud(orders: readonly OrderEvent[]): Row[] {
  const rows: Row[] = []
  for (const [customerId, own] of group(orders, (order) => order.customerId)) {
    own.forEach((order, i) => {
      const earlier = own.slice(0, i)
      const hour = Math.floor((order.timestamp + 19_800_000) / HOUR) % 24
      let score = 0
      const factors: string[] = []
      if (valueOf(order) > 5_000_000) {
        score += 30
        factors.push('high_value')
      }
      if (earlier.length === 0 && order.pricePaise > 1_000_000) {
        score += 25
        factors.push('new_customer_high_value')
      }
      if (earlier.length > 0 && order.paymentMethod !== mostFrequent(earlier.map((e) => e.paymentMethod))) {
        score += 15
        factors.push('unusual_payment_method')
      }
      if (hour === 23 || hour < 6) {
        score += 20
        factors.push('unusual_time')
      }
      if (score >= 50) rows.push({ key: order.orderId, value: { orderId: order.orderId, customerId, score, factors } })
    })
  }
  return rows
}

/** Rule 7 */
function rapidOrders(orders: readonly OrderEvent[]): Row[] {
  const alerts: Row[] = []
  for (const [customerId, own] of group(orders, (order) => order.customerId)) {
    let kept: number[] = []
    let highest = Number.NEGATIVE_INFINITY
    for (const order of own) {
      const t = order.timestamp
      highest = Math.max(highest, t)
      kept = kept.filter((time) => time > highest - 3_600_000)
      if (t <= highest - 3_600_000) continue
      kept.push(t)
      const ordersIn10m = kept.filter((time) => time > t - 600_000 && time <= t).length
      if (ordersIn10m > 5) {
        const value = { type: 'rapid_orders', customerId, orderId: order.orderId, ordersIn10m }
        alerts.push({ key: customerId, value })
      }
    }
  }
  return alerts
}

/** Rule 8 */
function manualReviews(orders: readonly OrderEvent[]): Row[] {
  const alerts: Row[] = []
  for (const [customerId, own] of group(orders, (order) => order.customerId)) {
    const order = own.find((candidate) => valueOf(candidate) > 5_000_000)
    if (order === undefined) continue
    const value = { type: 'high_value_new_customer', customerId, orderId: order.orderId, valuePaise: valueOf(order) }
    alerts.push({ key: customerId, value })
  }
  return alerts
}

function remoteDeliveries(orders: readonly OrderEvent[]): Row[] {
  return orders
    .filter((order) => ['Kashmir', 'Assam', 'Kerala'].includes(order.deliveryCity))
    .map(({ orderId, deliveryCity }) => ({
      key: orderId,
      value: { type: 'remote_delivery', orderId, city: deliveryCity },
    }))
}

/** Rule 9 */
function inventory(orders: readonly OrderEvent[]): Row[] {
  return group(orders, (order) => order.productId).map(([productId, own]) => {
    const opening = openingStock(productId)
    const sold = sumOf(own, (order) => order.quantity)
    const value = {
      openingStock: opening,
      sold,
      stock: Math.max(0, opening - sold),
      oversold: Math.max(0, sold - opening),
    }
    return { key: productId, value }
  })
}

function stockAlerts(orders: readonly OrderEvent[]): Row[] {
  const alerts: Row[] = []
  for (const [productId, own] of group(orders, (order) => order.productId)) {
    const sold = sumOf(own, (order) => order.quantity)
    if (openingStock(productId) - sold < 10) alerts.push({ key: productId, value: { type: 'low_stock', productId } })
    if (sold > 100) alerts.push({ key: productId, value: { type: 'high_demand_product', productId } })
  }
  return alerts
}

function openingStock(productId: string): number {
  let codes = 0
  for (let i = 0; i < productId.length; i++) codes += productId.charCodeAt(i)
  return 50 + ((37 * codes) % 201)
}

/** Rule 10 */
function orderStatus(events: readonly OrderEvent[]): Row[] {
  return group(events, (event) => event.orderId).map(([orderId, own]) => {
    const [placedAt, paidAt, shippedAt, deliveredAt] = STAGES.map((stage) => {
      const times = own.filter((event) => event.eventType === stage).map((event) => event.timestamp)
      return times.length === 0 ? null : Math.min(...times)
    }) as [number | null, number | null, number | null, number | null]
    const deliveryMs = placedAt !== null && deliveredAt !== null ? deliveredAt - placedAt : null
    return { key: orderId, value: { status: statusOf(own), placedAt, paidAt, shippedAt, deliveredAt, deliveryMs } }
  })
}

function statusOf(own: readonly OrderEvent[]): string {
  return STAGES.findLast((stage) => own.some((event) => event.eventType === stage)) as string
}

/** Rule 11: a status that the last order has left stays, with 0. So every status is listed that an order was ever in. */
function statusCounts(events: readonly OrderEvent[]): Row[] {
  const counts = new Map<string, number>()
  for (const [, own] of group(events, (event) => event.orderId)) {
    own.forEach((_, i) => {
      const status = statusOf(own.slice(0, i + 1))
      counts.set(status, counts.get(status) ?? 0)
    })
    counts.set(statusOf(own), (counts.get(statusOf(own)) as number) + 1)
  }
  return [...counts].map(([status, orders]) => ({ key: status, value: { orders } }))
}

function valueOf(order: OrderEvent): number {
  return order.pricePaise * order.quantity
}

function hourOf(event: OrderEvent): number {
  return Math.floor(event.timestamp / HOUR) * HOUR
}

/** In the order in which the keys come; the items of a key stay in theirs. */
function group<T>(items: readonly T[], keyOf: (item: T) => string): [key: string, items: T[]][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const own = groups.get(key)
    if (own === undefined) groups.set(key, [item])
    else own.push(item)
  }
  return [...groups]
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  let sum = 0
  for (const item of items) sum += of(item)
  return sum
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** The highest count first, ties by name. */
function byFrequency(names: readonly string[]): string[] {
  const counts = tally(names)
  return distinct(names).sort((a, b) => (counts[b] as number) - (counts[a] as number) || (a < b ? -1 : 1))
}

function mostFrequent(names: readonly string[]): string {
  return byFrequency(names)[0] as string
}
