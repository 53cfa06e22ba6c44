import { StreamsBuilder, serdes } from '../../../../src/index.ts'

interface Order {
  readonly city: string
  readonly amount: number
}

const builder = new StreamsBuilder()
builder
  .stream('orders', { key: serdes.string(), value: serdes.json<Order>() })
  .groupBy((order) => order.city)
  .aggregate(
    () => ({ count: 0, sum: 0 }),
    (totals, { amount }) => {
      totals.count++
      totals.sum += amount
      return totals
    },
  )
  .toStream()
  .to('cities', { key: serdes.string(), value: serdes.json() })

export default builder.build()
