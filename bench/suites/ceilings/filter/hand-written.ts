import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'

export const subject: Subject = {
  setup: ({ sink }) => ({
    run({ bytes, offsets, count }) {
      for (let i = 0; i < count; i++) {
        const [start, end] = [offsets[i] as number, offsets[i + 1] as number]
        const order = JSON.parse(bytes.utf8Slice(start, end)) as Order
        if (order.amount >= 1000) sink.bytes(bytes.subarray(start, end))
      }
    },
    finish() {},
  }),
}
