import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'

/** filter(amount >= 1000), map to {customer, amount * 0.9, city}, filter(not city-7). */
export const reference: Reference<Order> = function* (orders) {
  for (const order of orders) {
    if (!(order.amount >= 1000)) continue
    const row = { customer: order.customer, amount: order.amount * 0.9, city: order.city }
    if (row.city !== 'city-7') yield row
  }
}
