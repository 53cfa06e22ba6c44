/** By customer: how many orders, and their sum. */
import { serdes, StreamsBuilder } from '../../../src/index.ts'
import { store, topic } from './names.ts'

export interface Order {
  readonly customer: string
  readonly amount: number
}

export interface Total {
  readonly count: number
  readonly sum: number
  readonly last: string
}

const builder = new StreamsBuilder()
builder
  .stream(topic, { key: serdes.string(), value: serdes.json<Order>(), nullKeys: 'drop' })
  .groupByKey()
  .aggregate(
    (): Total => ({ count: 0, sum: 0, last: '' }),
    ({ count, sum }, { amount, customer }) => ({ count: count + 1, sum: sum + amount, last: customer }),
    { store },
  )

export default builder.build()
