import { type KStream, type ProcessorContext, type Processor, serdes, stores } from '../../src/index.ts'
import { hourInIndia, rupees } from '../lib/india.ts'
import { mostFrequent, type Tally } from '../lib/tally.ts'
import { json } from '../lib/topics.ts'
import { type OrderEvent, valueOf } from './events.ts'

export const HIGH_VALUE = rupees(50_000)
const HIGH_PRICE_FOR_NEW_CUSTOMERS = rupees(10_000)
const FLAGGED = 50

interface FraudScore {
  readonly orderId: string
  readonly customerId: string
  readonly score: number
  readonly factors: readonly string[]
}

/** How each customer has paid so far. */
const paymentHistory = stores.keyValue('payment-history', { key: serdes.string(), value: serdes.msgpack<Tally>() })

/** Scores every order against the orders of its customer that came before it. */
export function fraud(orders: KStream<string, OrderEvent>): void {
  orders
    .process<string, FraudScore>(scoreOrders, { stores: [paymentHistory] })
    .filter(({ score }) => score >= FLAGGED)
    .to('flipkart-fraud', json)
}

function scoreOrders(ctx: ProcessorContext<string, string, FraudScore>): Processor<string, OrderEvent> {
  const history = ctx.store(paymentHistory)
  return {
    process(order, customerId) {
      const payments = history.get(customerId)
      ctx.forward(scoreOf(order, payments), order.orderId)
      history.put(customerId, { ...payments, [order.paymentMethod]: (payments?.[order.paymentMethod] ?? 0) + 1 })
    },
  }
}

/** @param payments of the customer's earlier orders; undefined if there is none */
function scoreOf(order: OrderEvent, payments: Tally | undefined): FraudScore {
  let score = 0
  const factors: string[] = []
  const add = (points: number, factor: string) => {
    score += points
    factors.push(factor)
  }
  const hour = hourInIndia(order.timestamp)
  if (valueOf(order) > HIGH_VALUE) add(30, 'high_value')
  if (payments === undefined && order.pricePaise > HIGH_PRICE_FOR_NEW_CUSTOMERS) add(25, 'new_customer_high_value')
  if (payments !== undefined && order.paymentMethod !== mostFrequent(payments)) add(15, 'unusual_payment_method')
  if (hour === 23 || hour < 6) add(20, 'unusual_time')
  return { orderId: order.orderId, customerId: order.customerId, score, factors }
}
