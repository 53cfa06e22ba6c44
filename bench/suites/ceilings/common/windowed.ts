import {
  type KGroupedStream,
  type OrderedKey,
  StreamsBuilder,
  type Topology,
  type WindowKind,
  type Windows,
} from '../../../../src/index.ts'
import type { Order } from '../../../workload/orders.ts'
import { ordersOf, rows } from './orders.ts'

interface Totals {
  count: number
  sum: number
}

/** Count and sum by a field and window, on close. */
export function windowTotals<W extends 'tumbling' | 'hopping' | 'session'>(
  field: 'customer' | 'city',
  windows: Windows<W>,
): Topology {
  const builder = new StreamsBuilder()
  const grouped = ordersOf(builder).groupBy((order): OrderedKey => order[field]) as KGroupedStream<OrderedKey, Order>
  const bounds =
    windows.kind === 'session'
      ? (start: number, end: number) => ({ first: start, last: end })
      : (start: number) => ({ start })
  grouped
    .windowedBy(windows as Windows<WindowKind> as Windows<'session'>)
    .emit('close')
    .aggregate(
      (): Totals => ({ count: 0, sum: 0 }),
      (totals, { amount }) => {
        totals.count++
        totals.sum += amount
        return totals
      },
      { merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }) },
    )
    .toStream()
    .map((totals, { key, window }) => [
      null,
      { [field]: key, ...bounds(window.start, window.end), count: totals?.count, sum: totals?.sum },
    ])
    .to('out', rows)
  return builder.build()
}
