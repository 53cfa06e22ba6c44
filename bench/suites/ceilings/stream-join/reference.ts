import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'

const within = 10_000

/**
 * Orders of the channels app and web, each with every order of the other channels that the same customer gave at most 10 s
 * before or after it; with null, if there is none. No order is late for its window: none is more than 5 s behind.
 */
export const reference: Reference<Order> = function* (orders) {
  const lefts: Order[] = []
  const rights = new Map<number, Order[]>()
  for (const order of orders) {
    if (order.channel === 'app' || order.channel === 'web') lefts.push(order)
    else {
      const others = rights.get(order.customer)
      if (others) others.push(order)
      else rights.set(order.customer, [order])
    }
  }
  for (const { customer, orderId, ts } of lefts) {
    const partners = (rights.get(customer) ?? []).filter((right) => Math.abs(right.ts - ts) <= within)
    for (const partner of partners) yield { customer, left: orderId, right: partner.orderId }
    if (partners.length === 0) yield { customer, left: orderId, right: null }
  }
}
