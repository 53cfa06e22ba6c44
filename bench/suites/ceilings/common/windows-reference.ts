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

/**
 * By city, for windows that overlap so much that nobody can wait for `windowRows`: totals of each hop, and a window that
 * takes one in and lets one go at each step. @throws if a record is late for a window: then hops do not tell
 */
export function* slidingRows(
  orders: Iterable<Order>,
  size: number,
  hop: number,
): Generator<{ city: string; start: number; count: number; sum: number }> {
  const hops = new Map<string, Map<number, { count: number; sum: number }>>()
  let first = Infinity
  let last = -Infinity
  for (const { order, watermark } of withWatermark(orders)) {
    const { city, ts, amount } = order
    const at = Math.floor(ts / hop) * hop
    if (watermark >= at + hop + grace - 1) throw new Error(`order ${order.orderId} is late for some window`)
    const mine = hops.get(city) ?? new Map<number, { count: number; sum: number }>()
    hops.set(city, mine)
    const { count, sum } = mine.get(at) ?? { count: 0, sum: 0 }
    mine.set(at, { count: count + 1, sum: sum + amount })
    first = Math.min(first, at)
    last = Math.max(last, at)
  }
  for (const [city, mine] of hops) {
    let count = 0
    let sum = 0
    for (let start = first - size + hop; start <= last; start += hop) {
      const came = mine.get(start + size - hop)
      const went = mine.get(start - hop)
      count += (came?.count ?? 0) - (went?.count ?? 0)
      sum += (came?.sum ?? 0) - (went?.sum ?? 0)
      if (count > 0) yield { city, start, count, sum }
    }
  }
}
