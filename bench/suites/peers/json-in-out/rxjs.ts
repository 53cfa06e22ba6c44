import { filter, map, Subject as Source } from 'rxjs'
import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { feed } from '../feed.ts'

export const subject: Subject = {
  setup({ sink }) {
    const texts = new Source<string>()
    texts
      .pipe(
        map((text) => JSON.parse(text) as Order),
        filter(({ amount }) => amount >= 1000),
        map(({ customer, amount, city }) => ({ customer, amount: amount * 0.9, city })),
        filter(({ city }) => city !== 'city-7'),
        map((row) => JSON.stringify(row)),
      )
      .subscribe((row) => sink.text(row))
    return { run: (chunk) => feed(chunk, (text) => texts.next(text)), finish: () => texts.complete() }
  },
}
