import type { Subject } from '../../../harness/subject.ts'
import { type Customer, customerCount, customerRow } from '../../../workload/customers.ts'
import type { Order } from '../../../workload/orders.ts'

/** The table is a Map that was loaded beforehand. */
export const subject: Subject = {
  setup({ sink }) {
    const customers = new Map<number, Customer>()
    for (let customer = 0; customer < customerCount; customer++) customers.set(customer, customerRow(customer))
    return {
      run({ bytes, offsets, count }) {
        for (let i = 0; i < count; i++) {
          const { orderId, customer, amount } = JSON.parse(bytes.utf8Slice(offsets[i], offsets[i + 1])) as Order
          const row = customers.get(customer)
          if (row === undefined) continue
          sink.text(JSON.stringify({ orderId, customer, name: row.name, tier: row.tier, amount }))
        }
      },
      finish() {},
    }
  },
}
