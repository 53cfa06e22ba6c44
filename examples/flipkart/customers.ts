import type { KStream } from '../../src/index.ts'
import { rupees } from '../lib/india.ts'
import { countIn, include, mostFrequent, type Tally } from '../lib/tally.ts'
import { json } from '../lib/topics.ts'
import { type Alert, passes, sendAlerts } from './alerts.ts'
import { type OrderEvent, valueOf } from './events.ts'

const VIP = rupees(100_000)

interface Customer {
  orders: number
  spentPaise: number
  cities: string[]
  categories: Tally
  payments: Tally
  lastOrderAt: number
  vip: boolean
  /** The order that came last, late or not: the one an alert is about. */
  latest: { orderId: string; spentBefore: number }
}

/** What each customer has bought, and who becomes a VIP. */
export function customers(orders: KStream<string, OrderEvent>): void {
  const updates = orders.groupByKey().aggregate(newCustomer, addOrder, { store: 'customers' }).toStream()

  updates.mapValues(customerRow).to('flipkart-customers', json)

  sendAlerts(
    updates
      .filter(({ spentPaise, latest }) => passes(VIP, latest.spentBefore, spentPaise))
      .mapValues<Alert>(({ spentPaise, latest }, customerId) => ({
        type: 'vip_customer',
        customerId,
        orderId: latest.orderId,
        spentPaise,
      })),
  )
}

function newCustomer(): Customer {
  return {
    orders: 0,
    spentPaise: 0,
    cities: [],
    categories: {},
    payments: {},
    lastOrderAt: 0,
    vip: false,
    latest: { orderId: '', spentBefore: 0 },
  }
}

function addOrder(customer: Customer, order: OrderEvent): Customer {
  customer.latest = { orderId: order.orderId, spentBefore: customer.spentPaise }
  customer.orders++
  customer.spentPaise += valueOf(order)
  include(customer.cities, order.deliveryCity)
  countIn(customer.categories, order.category)
  countIn(customer.payments, order.paymentMethod)
  customer.lastOrderAt = Math.max(customer.lastOrderAt, order.timestamp)
  customer.vip = customer.spentPaise > VIP
  return customer
}

function customerRow({ orders, spentPaise, cities, categories, payments, lastOrderAt, vip }: Customer) {
  return {
    orders,
    spentPaise,
    avgOrderPaise: Math.floor(spentPaise / orders),
    cities,
    favouriteCategory: mostFrequent(categories),
    preferredPayment: mostFrequent(payments),
    lastOrderAt,
    vip,
  }
}
