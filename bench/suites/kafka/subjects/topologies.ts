import { serdes, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import type { Order } from '../../../workload/orders.ts'

const key = serdes.string()
const json = serdes.json()

/** The jobs of the suite. `onOrder` is called with each order that comes in. */
export function topologyOf(name: string, input: string, output: string, onOrder: () => void): Topology {
  const builder = new StreamsBuilder()
  const orders = builder.stream(input, { key, value: serdes.json<Order>() }).peek(onOrder)
  if (name === 'json-in-out') {
    orders
      .filter((order) => order.amount >= 1000)
      .mapValues(({ customer, amount, city }) => ({ customer, amount: amount * 0.9, city }))
      .filter((row) => row.city !== 'city-7')
      .to(output, { key, value: json })
  } else {
    orders
      .groupByKey()
      .aggregate(
        () => ({ count: 0, sum: 0, max: Number.NEGATIVE_INFINITY }),
        (totals, { amount }) => {
          totals.count++
          totals.sum += amount
          if (amount > totals.max) totals.max = amount
          return totals
        },
        { name: 'totals' },
      )
      .toStream()
      .mapValues(({ count, sum, max }, customer) => ({ customer: Number(customer), count, sum, max }))
      .to(output, { key, value: json })
  }
  return builder.build()
}
