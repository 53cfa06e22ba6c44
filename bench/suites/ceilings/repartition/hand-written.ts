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

/** A city's totals, and the epoch in which they last changed. */
interface Entry {
  readonly city: string
  readonly totals: Totals
  changed: number
}

/** What two threads and a repartition have to beat: one thread that does it all, with the totals of all cities in a Map. */
export const subject: Subject = {
  async setup({ sink, dir }) {
    const db = await Rocks.open(dir)
    const packr = new Packr({ structures: [['count', 'sum', 'max']] })
    const entries = new Map<string, Entry>()
    const epoch = new Epoch()
    let dirty: Entry[] = []
    let number = 1
    let position = 0

    const commit = (): void => {
      for (const { city, totals } of dirty) db.put(Buffer.from(city), packr.pack(totals))
      epoch.commit(db, position)
      dirty = []
      number++
    }

    return {
      run({ bytes, offsets, count }) {
        for (let i = 0; i < count; i++) {
          const { city, amount } = JSON.parse(bytes.utf8Slice(offsets[i], offsets[i + 1])) as Order
          let entry = entries.get(city)
          if (entry === undefined) {
            entry = { city, totals: { count: 0, sum: 0, max: amount }, changed: 0 }
            entries.set(city, entry)
          }
          const totals = entry.totals
          totals.count++
          totals.sum += amount
          if (amount > totals.max) totals.max = amount
          if (entry.changed !== number) {
            entry.changed = number
            dirty.push(entry)
          }
          sink.text(JSON.stringify({ city, count: totals.count, sum: totals.sum, max: totals.max }))
          if (++position % batchSize === 0 && epoch.due()) commit()
        }
      },
      finish: commit,
      close: () => db.close(),
    }
  },
}
