import type { KStream } from '../../src/index.ts'
import { byFrequency, countIn, type Tally } from '../lib/tally.ts'
import { json } from '../lib/topics.ts'
import { type Alert, sendAlerts } from './alerts.ts'
import { type OrderEvent, valueOf } from './events.ts'

const HIGH_DEMAND = 1000

interface City {
  orders: number
  gmvPaise: number
  categories: Tally
  payments: Tally
}

/** What each city orders and how it pays, and where demand is high. */
export function cities(orders: KStream<string, OrderEvent>): void {
  const updates = orders
    .groupBy((order) => order.deliveryCity)
    .aggregate(newCity, addDelivery, { store: 'cities' })
    .toStream()

  updates.mapValues(cityRow).to('flipkart-cities', json)

  sendAlerts(
    updates
      .filter((city) => city.orders === HIGH_DEMAND + 1)
      .mapValues<Alert>(({ orders }, city) => ({ type: 'high_demand_city', city, orders })),
  )
}

function newCity(): City {
  return { orders: 0, gmvPaise: 0, categories: {}, payments: {} }
}

function addDelivery(city: City, order: OrderEvent): City {
  city.orders++
  city.gmvPaise += valueOf(order)
  countIn(city.categories, order.category)
  countIn(city.payments, order.paymentMethod)
  return city
}

function cityRow({ orders, gmvPaise, categories, payments }: City) {
  return {
    orders,
    gmvPaise,
    avgOrderPaise: Math.floor(gmvPaise / orders),
    categories,
    payments,
    topCategories: byFrequency(categories).slice(0, 3),
  }
}
