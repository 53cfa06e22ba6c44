import { StreamsBuilder } from '../../../../src/index.ts'
import { engineSubject } from '../common/dhaara.ts'
import { ordersOf, rows } from '../common/orders.ts'

export const subject = engineSubject((variant) => {
  const builder = new StreamsBuilder()
  const large = ordersOf(builder).filter((order) => order.amount >= 1000)
  // a step that may have changed something: what comes out is written anew
  const sent = variant === 'written anew' ? large.peek(() => {}) : large
  sent.to('out', rows)
  return builder.build()
}, 'orders')
