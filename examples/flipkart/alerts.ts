import type { KStream } from '../../src/index.ts'
import { json } from '../lib/topics.ts'

export type Alert =
  | {
      readonly type: 'vip_customer'
      readonly customerId: string
      readonly orderId: string
      readonly spentPaise: number
    }
  | {
      readonly type: 'rapid_orders'
      readonly customerId: string
      readonly orderId: string
      readonly ordersIn10m: number
    }
  | {
      readonly type: 'high_value_new_customer'
      readonly customerId: string
      readonly orderId: string
      readonly valuePaise: number
    }
  | { readonly type: 'remote_delivery'; readonly orderId: string; readonly city: string }
  | { readonly type: 'top_seller'; readonly sellerId: string }
  | { readonly type: 'high_demand_city'; readonly city: string; readonly orders: number }
  | {
      readonly type: 'trending_category'
      readonly category: string
      readonly windowStart: number
      readonly orders: number
    }
  | { readonly type: 'peak_traffic'; readonly windowStart: number; readonly orders: number }
  | { readonly type: 'low_stock' | 'high_demand_product'; readonly productId: string }

/**
 * Every group of rules has a sink of its own. Merging their alerts first would tie the groups, which run in tasks of their own
 * behind different repartitions, into one task with one watermark.
 */
export function sendAlerts(alerts: KStream<string, Alert>): void {
  alerts.to('flipkart-alerts', json)
}

/** True for the one update that carries a growing number over the limit. */
export function passes(limit: number, before: number, now: number): boolean {
  return before <= limit && now > limit
}
