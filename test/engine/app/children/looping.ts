import { StreamsBuilder, serdes, windows } from '../../../../src/index.ts'

interface Order {
  readonly city: string
  readonly amount: number
}

function endless(): void {
  for (;;);
}

const builder = new StreamsBuilder()
const byCity = builder
  .stream('orders', { key: serdes.string(), value: serdes.json<Order>() })
  .peek(
    ({ amount }) => {
      if (amount === 13) endless()
    },
    { name: 'judge' },
  )
  .groupBy((order) => order.city)

byCity
  .aggregate(
    () => 0,
    (sum, { amount }) => {
      if (amount === 99) endless()
      return sum + amount
    },
    { name: 'sums' },
  )
  .toStream()
  .to('cities', { key: serdes.string(), value: serdes.json() })

// what a window's end brings up is no record's doing
byCity
  .windowedBy(windows.tumbling('100ms').noGrace())
  .emit('close')
  .aggregate(
    () => 0,
    (most, { amount }) => Math.max(most, amount),
  )
  .toStream()
  .filter(
    (most) => {
      if (most === 31) endless()
      return most > 1
    },
    { name: 'closing' },
  )
  .to('large', { key: serdes.windowed(serdes.string()), value: serdes.json() })

export default builder.build()
