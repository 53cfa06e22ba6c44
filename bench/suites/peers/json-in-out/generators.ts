import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { texts } from '../feed.ts'

/** Iterator helpers of the language: what libraries of lazy pulls come down to. */
export const subject: Subject = {
  setup: ({ sink }) => ({
    run(chunk) {
      const rows = texts(chunk)
        .map((text) => JSON.parse(text) as Order)
        .filter(({ amount }) => amount >= 1000)
        .map(({ customer, amount, city }) => ({ customer, amount: amount * 0.9, city }))
        .filter(({ city }) => city !== 'city-7')
      for (const row of rows) sink.text(JSON.stringify(row))
    },
    finish() {},
  }),
}
