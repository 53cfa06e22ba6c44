import { Readable } from 'node:stream'
import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { texts } from '../feed.ts'

/** Object streams with a promise a step: what async pipelines over Node's streams come down to. */
export const subject: Subject = {
  setup: ({ sink }) => ({
    async run(chunk) {
      const rows = Readable.from(texts(chunk))
        .map((text: string) => JSON.parse(text) as Order)
        .filter(({ amount }: Order) => amount >= 1000)
        .map(({ customer, amount, city }: Order) => ({ customer, amount: amount * 0.9, city }))
        .filter(({ city }: { readonly city: string }) => city !== 'city-7')
      for await (const row of rows) sink.text(JSON.stringify(row))
    },
    finish() {},
  }),
}
