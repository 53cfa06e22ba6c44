/** Windows as plainly as can be, for the references: nothing closes step by step; the watermark only decides what is late. */
import { type Order, outOfOrderness } from '../../../workload/orders.ts'

export const grace = 5_000

/** Each order with the watermark before it: the highest time so far, less the bound, less one. */
export function* withWatermark(orders: Iterable<Order>): Generator<{ order: Order; watermark: number }> {
  let highest = -Infinity
  for (const order of orders) {
    yield { order, watermark: highest - outOfOrderness - 1 }
    highest = Math.max(highest, order.ts)
  }
}

/** Count and sum by key and window, over windows of `size` that start each `hop` milliseconds. */
export function* windowRows(
  orders: Iterable<Order>,
  by: 'customer' | 'city',
  size: number,
  hop: number,
): Generator<Record<string, unknown>> {
  const windows = new Map<number, Map<unknown, { count: number; sum: number }>>()
  for (const { order, watermark } of withWatermark(orders)) {
    const last = Math.floor(order.ts / hop) * hop
    for (let start = last; start > order.ts - size; start -= hop) {
      if (watermark >= start + size + grace - 1) continue
      const rows = windows.get(start) ?? new Map<unknown, { count: number; sum: number }>()
      windows.set(start, rows)
      const row = rows.get(order[by]) ?? { count: 0, sum: 0 }
      rows.set(order[by], { count: row.count + 1, sum: row.sum + order.amount })
    }
  }
  for (const [start, rows] of windows) for (const [key, { count, sum }] of rows) yield { [by]: key, start, count, sum }
}
