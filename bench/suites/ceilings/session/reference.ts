import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { withWatermark } from '../common/windows-reference.ts'

const gap = 30_000

interface Session {
  readonly first: number
  readonly last: number
  readonly count: number
  readonly sum: number
}

/**
 * Sessions of a customer: an order joins every open session that is at most `gap` away; a merged session that is already
 * closed (last + gap <= watermark, no grace) is late and changes nothing.
 */
export const reference: Reference<Order> = function* (orders) {
  const byCustomer = new Map<number, Session[]>()
  for (const { order, watermark } of withWatermark(orders)) {
    const { customer, ts, amount } = order
    const sessions = byCustomer.get(customer) ?? []
    const touched = sessions.filter((s) => s.last + gap > watermark && s.first - gap <= ts && ts <= s.last + gap)
    const merged: Session = {
      first: Math.min(ts, ...touched.map((s) => s.first)),
      last: Math.max(ts, ...touched.map((s) => s.last)),
      count: touched.reduce((total, s) => total + s.count, 1),
      sum: touched.reduce((total, s) => total + s.sum, amount),
    }
    if (merged.last + gap <= watermark) continue
    byCustomer.set(customer, [...sessions.filter((s) => !touched.includes(s)), merged])
  }
  for (const [customer, sessions] of byCustomer) for (const session of sessions) yield { customer, ...session }
}
