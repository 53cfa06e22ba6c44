import { StreamsBuilder } from '../../../../src/index.ts'
import { ordersOf, rows } from '../common/orders.ts'

const builder = new StreamsBuilder()
ordersOf(builder)
  .groupBy((order) => order.city)
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
  .map(({ count, sum, max }, city) => [null, { city, count, sum, max }])
  .to('out', rows)

export default builder.build()
