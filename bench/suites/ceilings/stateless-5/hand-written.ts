import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'

/**
 * One fused loop. The objects that map and mapValues make are part of the job: a user's functions return them. So is the
 * sink: each row is handed to it, as it is by any other subject.
 */
export const subject: Subject<Order> = {
  setup: ({ objects, sink }) => ({
    run() {
      for (let i = 0; i < objects.length; i++) {
        const order = objects[i]!
        if (order.amount < 1000) continue
        const mapped = { amount: order.amount, city: order.city, ts: order.ts }
        const priced = { city: mapped.city, cents: mapped.amount * 90 }
        if (priced.city === 'city-7') continue
        sink.add(1, priced.cents + 1)
      }
    },
    finish() {},
  }),
}
