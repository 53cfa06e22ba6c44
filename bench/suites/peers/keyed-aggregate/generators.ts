import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { texts } from '../feed.ts'

interface Totals {
  readonly customer: number
  count: number
  sum: number
  max: number
}

/** State in a map: nothing of it survives the process. */
export const subject: Subject = {
  setup({ sink }) {
    const totals = new Map<number, Totals>()
    const add = ({ customer, amount }: Order): Totals => {
      let row = totals.get(customer)
      if (row === undefined) totals.set(customer, (row = { customer, count: 0, sum: 0, max: Number.NEGATIVE_INFINITY }))
      row.count++
      row.sum += amount
      row.max = Math.max(row.max, amount)
      return row
    }
    return {
      run(chunk) {
        const rows = texts(chunk)
          .map((text) => JSON.parse(text) as Order)
          .map(add)
        for (const row of rows) sink.text(JSON.stringify(row))
      },
      finish() {},
    }
  },
}
