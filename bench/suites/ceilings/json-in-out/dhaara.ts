import { StreamsBuilder } from '../../../../src/index.ts'
import { engineSubject } from '../common/dhaara.ts'
import { ordersOf, rows } from '../common/orders.ts'

export const subject = engineSubject(() => {
  const builder = new StreamsBuilder()
  ordersOf(builder)
    .filter((order) => order.amount >= 1000)
    .mapValues(({ customer, amount, city }) => ({ customer, amount: amount * 0.9, city }))
    .filter((row) => row.city !== 'city-7')
    .to('out', rows)
  return builder.build()
}, 'orders')
