import { joinWindows, StreamsBuilder } from '../../../../src/index.ts'
import { engineSubject } from '../common/dhaara.ts'
import { ordersOf, rows } from '../common/orders.ts'

/** The orders' numbers are joined; both sides go through a repartition by customer. */
export const subject = engineSubject(() => {
  const builder = new StreamsBuilder()
  const { left, right } = ordersOf(builder)
    .map(({ customer, orderId, channel }) => [customer, { orderId, channel }] as const)
    .split()
    .branch('left', ({ channel }) => channel === 'app' || channel === 'web')
    .default('right')
  left
    .mapValues(({ orderId }) => orderId)
    .leftJoin(
      right.mapValues(({ orderId }) => orderId),
      (l, r, customer) => ({ customer, left: l, right: r }),
      joinWindows.of('10s').grace('5s'),
    )
    .to('out', rows)
  return builder.build()
}, 'orders')
