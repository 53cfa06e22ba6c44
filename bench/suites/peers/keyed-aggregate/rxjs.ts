import { groupBy, map, mergeMap, scan, Subject as Source } from 'rxjs'
import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { feed } from '../feed.ts'

/** State in memory alone: nothing of it survives the process. */
export const subject: Subject = {
  setup({ sink }) {
    const texts = new Source<string>()
    texts
      .pipe(
        map((text) => JSON.parse(text) as Order),
        groupBy(({ customer }) => customer),
        mergeMap((orders) =>
          orders.pipe(
            scan(
              (totals, { amount }) => ({
                customer: orders.key,
                count: totals.count + 1,
                sum: totals.sum + amount,
                max: Math.max(totals.max, amount),
              }),
              { customer: orders.key, count: 0, sum: 0, max: Number.NEGATIVE_INFINITY },
            ),
          ),
        ),
      )
      .subscribe((row) => sink.text(JSON.stringify(row)))
    return { run: (chunk) => feed(chunk, (text) => texts.next(text)), finish: () => texts.complete() }
  },
}
