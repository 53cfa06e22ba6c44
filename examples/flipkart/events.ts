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
