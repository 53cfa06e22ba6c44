import { StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { ordersOf, rows } from '../common/orders.ts'

/** By customer: count, sum, max, emitted on each update. */
export function totalsByCustomer(): Topology {
  const builder = new StreamsBuilder()
  ordersOf(builder)
    .groupBy((order) => order.customer)
    .aggregate(
      () => ({ count: 0, sum: 0, max: Number.NEGATIVE_INFINITY }),
      (totals, { amount }) => {
        totals.count++
        totals.sum += amount
        if (amount > totals.max) totals.max = amount
        return totals
      },
    )
    .toStream()
    .map(({ count, sum, max }, customer) => [null, { customer, count, sum, max }])
    .to('out', rows)
  return builder.build()
}
