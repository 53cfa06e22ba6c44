import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'

/** After each order: its customer's count, sum and highest amount so far. */
export const reference: Reference<Order> = function* (orders) {
  const amounts = new Map<number, { count: number; sum: number; max: number }>()
  for (const { customer, amount } of orders) {
    const old = amounts.get(customer) ?? { count: 0, sum: 0, max: -Infinity }
    const now = { count: old.count + 1, sum: old.sum + amount, max: Math.max(old.max, amount) }
    amounts.set(customer, now)
    yield { customer, ...now }
  }
}
