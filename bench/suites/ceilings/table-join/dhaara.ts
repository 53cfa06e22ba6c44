import { serdes, StreamsBuilder } from '../../../../src/index.ts'
import { FrameBuilder } from '../../../../src/connectors/broker/frame-builder.ts'
import { readFrames, sealFrame } from '../../../../src/connectors/broker/frame.ts'
import type { FetchedBatch } from '../../../../src/connectors/broker/log.ts'
import { type Customer, customerCount, customerRow } from '../../../workload/customers.ts'
import type { Order } from '../../../workload/orders.ts'
import { engineSubject } from '../common/dhaara.ts'
import { rows } from '../common/orders.ts'

/** The orders' topic is keyed by customer, as the table's. */
export const subject = engineSubject(
  () => {
    const builder = new StreamsBuilder()
    const customers = builder.table('customers', { key: serdes.number(), value: serdes.json<Customer>() })
    builder
      .stream('orders', { key: serdes.number(), value: serdes.json<Order>(), timestamp: (order) => order.ts })
      .selectKey((order) => order.customer)
      .join(customers, ({ orderId, customer, amount }, { name, tier }) => ({ orderId, customer, name, tier, amount }))
      .to('out', rows)
    return builder.build()
  },
  'orders',
  { tables: { customers: customerTable } },
)

function customerTable(): FetchedBatch {
  const builder = new FrameBuilder()
  const key = serdes.number()
  for (let customer = 0; customer < customerCount; customer++)
    builder.addText(key.serialize(customer, ''), JSON.stringify(customerRow(customer)), 0)
  const frame = builder.finish()
  sealFrame(frame, customerCount - 1, 0, frame.length)
  return readFrames('customers', 0, [frame], 0) as FetchedBatch
}
