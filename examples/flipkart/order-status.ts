import type { KStream } from '../../src/index.ts'
import { json } from '../lib/topics.ts'
import type { OrderEvent, Stage } from './events.ts'

/** How far an order is and when it got there; null where it has not been seen. */
interface OrderStatus {
  status: Stage
  placedAt: number | null
  paidAt: number | null
  shippedAt: number | null
  deliveredAt: number | null
  deliveryMs: number | null
}

/** Where each order is, and how many orders are in each status: when an order moves on, the table takes it out of its former status. */
export function orderStatus(events: KStream<string, OrderEvent>): void {
  const status = events.groupBy((event) => event.orderId).aggregate(unknownOrder, addEvent, { store: 'order-status' })
  status.toStream().to('flipkart-order-status', json)

  status
    .groupBy(({ status }, orderId) => [status, orderId])
    .count({ store: 'status-counts' })
    .toStream()
    .mapValues((orders) => ({ orders }))
    .to('flipkart-status-counts', json)
}

function unknownOrder(): OrderStatus {
  return { status: 'order_placed', placedAt: null, paidAt: null, shippedAt: null, deliveredAt: null, deliveryMs: null }
}

function addEvent(order: OrderStatus, { eventType, timestamp }: OrderEvent): OrderStatus {
  switch (eventType) {
    case 'order_placed':
      order.placedAt = earlier(order.placedAt, timestamp)
      break
    case 'payment_success':
      order.paidAt = earlier(order.paidAt, timestamp)
      break
    case 'shipped':
      order.shippedAt = earlier(order.shippedAt, timestamp)
      break
    case 'delivered':
      order.deliveredAt = earlier(order.deliveredAt, timestamp)
  }
  order.status = furthestStage(order)
  if (order.placedAt !== null && order.deliveredAt !== null) order.deliveryMs = order.deliveredAt - order.placedAt
  return order
}

function earlier(known: number | null, timestamp: number): number {
  return known === null ? timestamp : Math.min(known, timestamp)
}

function furthestStage({ deliveredAt, shippedAt, paidAt }: OrderStatus): Stage {
  if (deliveredAt !== null) return 'delivered'
  if (shippedAt !== null) return 'shipped'
  return paidAt !== null ? 'payment_success' : 'order_placed'
}
