import type { KStream } from '../../src/index.ts'
import { json } from '../lib/topics.ts'
import { type Alert, passes, sendAlerts } from './alerts.ts'
import type { OrderEvent } from './events.ts'

const LOW_STOCK = 10
const HIGH_DEMAND = 100

interface Stock {
  openingStock: number
  sold: number
  soldBefore: number
  stock: number
  oversold: number
}

/** What is left of each product, what runs out and what is in demand. */
export function inventory(orders: KStream<string, OrderEvent>): void {
  const updates = orders
    .groupBy((order) => order.productId)
    .aggregate(unsold, sell, { store: 'inventory' })
    .toStream()

  updates
    .mapValues(({ openingStock, sold, stock, oversold }) => ({ openingStock, sold, stock, oversold }))
    .to('flipkart-inventory', json)

  sendAlerts(updates.flatMapValues(stockAlerts))
}

function unsold(): Stock {
  return { openingStock: 0, sold: 0, soldBefore: 0, stock: 0, oversold: 0 }
}

function sell(product: Stock, order: OrderEvent, productId: string): Stock {
  product.openingStock ||= openingStock(productId)
  product.soldBefore = product.sold
  product.sold += order.quantity
  product.stock = Math.max(0, product.openingStock - product.sold)
  product.oversold = Math.max(0, product.sold - product.openingStock)
  return product
}

/** 50 to 250, the same for a name at all times. */
function openingStock(productId: string): number {
  let codes = 0
  for (let i = 0; i < productId.length; i++) codes += productId.charCodeAt(i)
  return 50 + ((37 * codes) % 201)
}

function stockAlerts({ openingStock, sold, soldBefore }: Stock, productId: string): Alert[] {
  const alerts: Alert[] = []
  if (passes(openingStock - LOW_STOCK, soldBefore, sold)) alerts.push({ type: 'low_stock', productId })
  if (passes(HIGH_DEMAND, soldBefore, sold)) alerts.push({ type: 'high_demand_product', productId })
  return alerts
}
