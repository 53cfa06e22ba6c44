import { ArrivalQueue } from '../lib/arrival-queue.ts'
import { delays } from '../lib/delays.ts'
import { writeLines } from '../lib/json-lines.ts'
import { command, defaultParams, type GeneratorParams } from '../lib/options.ts'
import { Random, weighted } from '../lib/random.ts'
import type { OrderEvent, Stage } from './events.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const START = Date.UTC(2024, 9, 8, 15)

/** Calm before the sale, the hour of the sale, and the evening after it. */
const phase = weighted([
  [{ from: 0, to: 4 * HOUR }, 0.2],
  [{ from: 4 * HOUR, to: 5 * HOUR }, 0.67],
  [{ from: 5 * HOUR, to: 8 * HOUR }, 0.13],
])
const category = weighted([
  ['Electronics', 0.2],
  ['Fashion', 0.18],
  ['Books', 0.12],
  ['Home', 0.1],
  ['Groceries', 0.1],
  ['Beauty', 0.08],
  ['Sports', 0.07],
  ['Toys', 0.06],
  ['Health', 0.05],
  ['Automotive', 0.04],
])
const city = weighted([
  ['Mumbai', 0.18],
  ['Delhi', 0.16],
  ['Bangalore', 0.14],
  ['Hyderabad', 0.1],
  ['Chennai', 0.1],
  ['Kolkata', 0.08],
  ['Pune', 0.08],
  ['Ahmedabad', 0.06],
  ['Jaipur', 0.04],
  ['Lucknow', 0.03],
  ['Kashmir', 0.01],
  ['Assam', 0.01],
  ['Kerala', 0.01],
])
const payment = weighted([
  ['UPI', 0.45],
  ['COD', 0.2],
  ['Credit Card', 0.15],
  ['Debit Card', 0.12],
  ['Net Banking', 0.08],
])
/** In paise. */
const priceRange = weighted<readonly [number, number]>([
  [[29_900, 499_900], 0.8],
  [[499_901, 1_999_900], 0.15],
  [[1_999_901, 4_999_900], 0.05],
])
const quantity = weighted([
  [1, 0.7],
  [2, 0.15],
  [3, 0.08],
  [4, 0.04],
  [5, 0.03],
])
const bigSeller = weighted([
  [1, 0.14],
  [2, 0.14],
  [3, 0.14],
  [0, 0.58],
])
const PRODUCTS = [
  'smartphone',
  'laptop',
  'headphones',
  'book',
  'tshirt',
  'shoes',
  'tablet',
  'watch',
  'backpack',
  'camera',
]

/** One order for four fifths of the events; the rest is what becomes of the orders. Events come in the order of arrival. */
export function* generate(params: Partial<GeneratorParams> = {}): Generator<OrderEvent> {
  const { seed, count, late, disorder } = { ...defaultParams, ...params }
  const random = new Random(seed)
  const delay = delays(new Random(seed, 1), {
    disorder,
    late,
    bound: 30 * SECOND,
    slightly: [30 * SECOND + 1, 30 * SECOND + 5 * MINUTE - 1],
    very: [66.5 * MINUTE, 3 * HOUR],
  })
  const orders = Math.round(count * 0.8)
  const customers = Math.max(1, Math.floor(count / 10))
  const smallSellers = Math.max(1, Math.floor(count / 50))
  const placed = placements(random, orders, customers, Math.floor(count / 2000))
  const stages = progress(random, orders, count - orders)

  const underWay = new ArrivalQueue<OrderEvent>()
  for (let i = 0; i < orders; i++) {
    const at = START + Math.floor((placed[i] as number) / customers)
    const order: OrderEvent = {
      eventType: 'order_placed',
      orderId: `FLP${digits(i + 1, 8)}`,
      customerId: `CUST${digits(((placed[i] as number) % customers) + 1, 6)}`,
      sellerId: `SELLER${digits(bigSeller(random) || random.int(4, smallSellers + 3), 4)}`,
      productId: `${random.pick(PRODUCTS)}-${digits(random.int(1, 20), 2)}`,
      category: category(random),
      pricePaise: random.int(...priceRange(random)),
      quantity: quantity(random),
      deliveryCity: city(random),
      paymentMethod: payment(random),
      timestamp: at,
    }
    while (underWay.next <= at) yield underWay.shift()
    const wait = delay()
    if (wait === 0) yield order
    else underWay.push(at + wait, order)

    let time = at
    for (let stage = 1; stage <= (stages[i] as number); stage++) {
      time += random.int(...STEPS[stage - 1]!.after)
      underWay.push(time + delay(), later(order, STEPS[stage - 1]!.eventType, time))
    }
  }
  yield* underWay.until(Number.POSITIVE_INFINITY)
}

const STEPS: readonly { eventType: Stage; after: readonly [number, number] }[] = [
  { eventType: 'payment_success', after: [SECOND, 120 * SECOND] },
  { eventType: 'shipped', after: [10 * MINUTE, 60 * MINUTE] },
  { eventType: 'delivered', after: [30 * MINUTE, 90 * MINUTE] },
]

/** When each order is placed and by whom, packed as `offset * customers + customer`, in the order of time. */
function placements(random: Random, orders: number, customers: number, bursts: number): Float64Array {
  const time = () => {
    const { from, to } = phase(random)
    return random.int(from, to - 1)
  }
  const packed = new Float64Array(orders)
  let n = 0
  for (let burst = 0; burst < bursts; burst++) {
    const start = Math.min(time(), 8 * HOUR - 5 * MINUTE)
    const customer = random.int(0, customers - 1)
    for (let i = 0; i < 8; i++) packed[n++] = (start + i * 40 * SECOND) * customers + customer
  }
  while (n < orders) packed[n++] = time() * customers + random.int(0, customers - 1)
  return packed.sort()
}

/** How far each order gets: 0 placed only, 1 paid, 2 shipped, 3 delivered. The stages add up to `events`. */
function progress(random: Random, orders: number, events: number): Uint8Array {
  const stages = new Uint8Array(orders)
  let left = events
  while (left > 0) {
    const order = random.int(0, orders - 1)
    if (stages[order] !== 0) continue
    const stage = Math.min(left, random.chance(0.7) ? (random.chance(0.6) ? 3 : 2) : 1)
    stages[order] = stage
    left -= stage
  }
  return stages
}

function later(order: OrderEvent, eventType: Stage, timestamp: number): OrderEvent {
  return {
    eventType,
    orderId: order.orderId,
    customerId: order.customerId,
    sellerId: order.sellerId,
    productId: order.productId,
    category: order.category,
    pricePaise: order.pricePaise,
    quantity: order.quantity,
    deliveryCity: order.deliveryCity,
    paymentMethod: order.paymentMethod,
    timestamp,
  }
}

function digits(n: number, width: number): string {
  return String(n).padStart(width, '0')
}

if (import.meta.main) {
  await command((options) => writeLines(generate(options), options))
}
