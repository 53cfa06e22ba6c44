import type { Reference } from '../../../harness/subject.ts'
import { customerCount, customerRow } from '../../../workload/customers.ts'
import type { Order } from '../../../workload/orders.ts'

/** Inner join: each order with the name and tier of its customer. */
export const reference: Reference<Order> = function* (orders) {
  for (const { orderId, customer, amount } of orders) {
    if (customer >= customerCount) continue
    const { name, tier } = customerRow(customer)
    yield { orderId, customer, name, tier, amount }
  }
}
