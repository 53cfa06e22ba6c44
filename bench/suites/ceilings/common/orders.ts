import { type KStream, serdes, type StreamsBuilder, type WatermarkStrategy, watermarks } from '../../../../src/index.ts'
import type { Order } from '../../../workload/orders.ts'

/** The orders' topic, as all cases read it. */
export function ordersOf(
  builder: StreamsBuilder,
  watermark: WatermarkStrategy = watermarks.boundedOutOfOrderness('5s'),
): KStream<Uint8Array | null, Order> {
  return builder.stream('orders', { value: serdes.json<Order>(), timestamp: (order) => order.ts, watermark })
}

/** Of sinks: the key is in the value. */
export const rows = { key: serdes.json(), value: serdes.json() }
