import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'

/** filter(amount >= 1000), map to {amount, city, ts}, mapValues to {city, cents: amount * 90}, filter(not city-7), mapValues to cents + 1. */
export const reference: Reference<Order> = (orders) =>
  [...orders]
    .filter((order) => order.amount >= 1000)
    .map(({ amount, city, ts }) => ({ amount, city, ts }))
    .map(({ city, amount }) => ({ city, cents: amount * 90 }))
    .filter(({ city }) => city !== 'city-7')
    .map(({ cents }) => cents + 1)
