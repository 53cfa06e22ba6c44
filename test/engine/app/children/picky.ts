import { StreamsBuilder, serdes } from '../../../../src/index.ts'

const builder = new StreamsBuilder()
builder
  .stream('orders', { key: serdes.string(), value: serdes.json<{ city: string; amount: number }>() })
  .selectKey((order) => order.city)
  .repartition()
  .mapValues(({ amount }) => {
    if (amount === 13) throw new RangeError('thirteen')
    return amount
  })
  .to('amounts', { key: serdes.string(), value: serdes.json() })

export default builder.build()
