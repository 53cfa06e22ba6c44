import { StreamsBuilder, serdes } from '../../../../src/index.ts'

const builder = new StreamsBuilder()
builder
  .stream('orders', { key: serdes.string(), value: serdes.json<{ city: string; amount: number }>() })
  .groupBy((order) => order.city)
  .aggregate(
    () => ({ count: 0, sum: 0 }),
    (totals, { amount }) => {
      totals.count++
      if (amount === 7) throw new RangeError('half-way')
      totals.sum += amount
      return totals
    },
  )
  .toStream()
  .to('cities', { key: serdes.string(), value: serdes.json() })

export default builder.build()
