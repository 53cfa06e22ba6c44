import { isObject, schema } from '../lib/topics.ts'

/** A step in the life of an order. Later events of an order repeat its fields; all have its customer as their key. */
export interface OrderEvent {
  readonly eventType: Stage
  readonly orderId: string
  readonly customerId: string
  readonly sellerId: string
  readonly productId: string
  readonly category: string
  /** Of one unit. */
  readonly pricePaise: number
  /** 1 to 5. */
  readonly quantity: number
  readonly deliveryCity: string
  readonly paymentMethod: string
  /** Epoch milliseconds. */
  readonly timestamp: number
}

export type Stage = 'order_placed' | 'payment_success' | 'shipped' | 'delivered'

/** What the customer pays for all units. */
export function valueOf(order: OrderEvent): number {
  return order.pricePaise * order.quantity
}

export const orderEvent = schema(isOrderEvent, 'an order event: text fields, a known eventType, prices in whole paise')

function isOrderEvent(event: unknown): event is OrderEvent {
  return (
    isObject(event) &&
    isStage(event.eventType) &&
    typeof event.orderId === 'string' &&
    typeof event.customerId === 'string' &&
    typeof event.sellerId === 'string' &&
    typeof event.productId === 'string' &&
    typeof event.category === 'string' &&
    isCount(event.pricePaise) &&
    isCount(event.quantity) &&
    typeof event.deliveryCity === 'string' &&
    typeof event.paymentMethod === 'string' &&
    isCount(event.timestamp)
  )
}

function isStage(value: unknown): value is Stage {
  return value === 'order_placed' || value === 'payment_success' || value === 'shipped' || value === 'delivered'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
