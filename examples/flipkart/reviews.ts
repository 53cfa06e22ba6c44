import { type KStream, type Processor, type ProcessorContext, serdes, stores } from '../../src/index.ts'
import { type Alert, sendAlerts } from './alerts.ts'
import { type OrderEvent, valueOf } from './events.ts'
import { HIGH_VALUE } from './fraud.ts'

const MINUTE = 60_000
const RAPID = 5
const REMOTE = ['Kashmir', 'Assam', 'Kerala']

/** The order for which a customer was reviewed. */
const reviewed = stores.keyValue('reviewed', { key: serdes.string(), value: serdes.string() })

/** Timestamps of a customer's last hour of orders, and the highest of all. */
const recentOrders = stores.keyValue('recent-orders', {
  key: serdes.string(),
  value: serdes.msgpack<{ readonly newest: number; readonly times: readonly number[] }>(),
})

/** Orders that somebody should look at. */
export function reviews(orders: KStream<string, OrderEvent>): void {
  const highValue = orders
    .filter((order) => valueOf(order) > HIGH_VALUE)
    .process<string, Alert>(firstOfCustomer, { stores: [reviewed] })
  const rapid = orders.process<string, Alert>(rapidOrders, { stores: [recentOrders] })
  const remote = orders
    .filter((order) => REMOTE.includes(order.deliveryCity))
    .map<string, Alert>(({ orderId, deliveryCity }) => [
      orderId,
      { type: 'remote_delivery', orderId, city: deliveryCity },
    ])

  sendAlerts(highValue.merge(rapid).merge(remote))
}

type AlertContext = ProcessorContext<string, string, Alert>

function firstOfCustomer(ctx: AlertContext): Processor<string, OrderEvent> {
  const seen = ctx.store(reviewed)
  return {
    process(order, customerId) {
      const { orderId } = order
      if (seen.putIfAbsent(customerId, orderId) !== undefined) return
      const valuePaise = valueOf(order)
      ctx.forward({ type: 'high_value_new_customer', customerId, orderId, valuePaise }, customerId)
    },
  }
}

/** An alert for each order that is the sixth or later of its customer within ten minutes. */
function rapidOrders(ctx: AlertContext): Processor<string, OrderEvent> {
  const recent = ctx.store(recentOrders)
  return {
    process({ orderId, timestamp }, customerId) {
      const state = recent.get(customerId)
      const newest = Math.max(state?.newest ?? 0, timestamp)
      const forgotten = newest - 60 * MINUTE
      if (timestamp <= forgotten) return
      const times = state === undefined ? [] : state.times.filter((time) => time > forgotten)
      times.push(timestamp)
      recent.put(customerId, { newest, times })

      let ordersIn10m = 0
      for (const time of times) if (time > timestamp - 10 * MINUTE && time <= timestamp) ordersIn10m++
      if (ordersIn10m > RAPID) ctx.forward({ type: 'rapid_orders', customerId, orderId, ordersIn10m }, customerId)
    },
  }
}
