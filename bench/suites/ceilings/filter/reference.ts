import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'

/** filter(amount >= 1000). */
export const reference: Reference<Order> = function* (orders) {
  for (const order of orders) if (order.amount >= 1000) yield order
}
