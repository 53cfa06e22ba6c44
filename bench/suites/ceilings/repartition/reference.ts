import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'

/** After each order: its city's count, sum and highest amount so far. */
export const reference: Reference<Order> = function* (orders) {
  const amounts = new Map<string, { count: number; sum: number; max: number }>()
  for (const { city, amount } of orders) {
    const old = amounts.get(city) ?? { count: 0, sum: 0, max: -Infinity }
    const now = { count: old.count + 1, sum: old.sum + amount, max: Math.max(old.max, amount) }
    amounts.set(city, now)
    yield { city, ...now }
  }
}
