import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'

export const subject: Subject = {
  setup: ({ sink }) => ({
    run({ bytes, offsets, count }) {
      for (let i = 0; i < count; i++) {
        const order = JSON.parse(bytes.utf8Slice(offsets[i], offsets[i + 1])) as Order
        if (order.amount < 1000 || order.city === 'city-7') continue
        sink.text(JSON.stringify({ customer: order.customer, amount: order.amount * 0.9, city: order.city }))
      }
    },
    finish() {},
  }),
}
