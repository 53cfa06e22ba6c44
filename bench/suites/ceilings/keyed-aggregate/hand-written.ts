import { Packr } from 'msgpackr'
import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { batchSize, Epoch } from '../common/epoch.ts'
import { Rocks } from '../common/rocks.ts'

interface Totals {
  count: number
  sum: number
  max: number
}

/** A customer's totals, and the epoch in which they last changed. */
interface Entry {
  readonly customer: number
  readonly totals: Totals
  changed: number
}

/** All totals in a Map; what changed in an epoch goes to the database in one batch, in the order of keys. */
export const subject: Subject = {
  async setup({ sink, dir }) {
    const db = await Rocks.open(dir)
    const packr = new Packr({ structures: [['count', 'sum', 'max']] })
    const entries = new Map<number, Entry>()
    const epoch = new Epoch()
    const key = Buffer.alloc(4)
    let dirty: Entry[] = []
    let number = 1
    let position = 0

    const commit = (): void => {
      dirty.sort((a, b) => a.customer - b.customer)
      for (const { customer, totals } of dirty) {
        key.writeUInt32BE(customer)
        db.put(key, packr.pack(totals))
      }
      epoch.commit(db, position)
      dirty = []
      number++
    }

    return {
      run({ bytes, offsets, count }) {
        for (let i = 0; i < count; i++) {
          const { customer, amount } = JSON.parse(bytes.utf8Slice(offsets[i], offsets[i + 1])) as Order
          let entry = entries.get(customer)
          if (entry === undefined) {
            entry = { customer, totals: { count: 0, sum: 0, max: amount }, changed: 0 }
            entries.set(customer, entry)
          }
          const totals = entry.totals
          totals.count++
          totals.sum += amount
          if (amount > totals.max) totals.max = amount
          if (entry.changed !== number) {
            entry.changed = number
            dirty.push(entry)
          }
          sink.text(JSON.stringify({ customer, count: totals.count, sum: totals.sum, max: totals.max }))
          if (++position % batchSize === 0 && epoch.due()) commit()
        }
      },
      finish: commit,
      close: () => db.close(),
    }
  },
}
