import { Packr } from 'msgpackr'
import type { Subject } from '../../../harness/subject.ts'
import { type Order, outOfOrderness } from '../../../workload/orders.ts'
import { batchSize, Epoch } from '../common/epoch.ts'
import { Rocks } from '../common/rocks.ts'

const hop = 1_000
const grace = 5_000

interface Totals {
  count: number
  sum: number
}

interface Entry {
  readonly start: number
  readonly city: string
  readonly totals: Totals
  changed: number
}

type Pane = Map<string, Entry>

export const subject = hoppingByCity(60_000)

/**
 * Windows share panes of one hop: a record touches one pane. The totals of the window that closes next are kept: sums can
 * be taken back, so that one hop comes and one goes at each step.
 */
export function hoppingByCity(size: number): Subject {
  return {
    async setup({ sink, dir }) {
      const db = await Rocks.open(dir)
      const packr = new Packr({ structures: [['count', 'sum']] })
      const epoch = new Epoch()
      const panes = new Map<number, Pane>()
      let dirty: Entry[] = []
      let dropped: number[] = []
      let current: Pane | undefined
      let currentStart = Number.NaN
      let highest = -Infinity
      let highestPane = -Infinity
      /** Start of the oldest window that is still open, and the time that closes it. */
      let first = Infinity
      let fireAt = Infinity
      let number = 1
      let position = 0
      /** Of the panes from `first` up to `summed`. */
      const totals = new Map<string, Totals>()
      let summed = -Infinity

      /** Undefined if the record is late for every window it belongs to. */
      const paneAt = (start: number): Pane | undefined => {
        const found = panes.get(start)
        if (found !== undefined) return found
        const watermark = highest - outOfOrderness - 1
        if (watermark >= start + size + grace - 1) return undefined
        const pane: Pane = new Map()
        panes.set(start, pane)
        if (start > highestPane) highestPane = start
        let window = start - size + hop
        while (watermark >= window + size + grace - 1) window += hop
        if (window < first) moveTo(window)
        return pane
      }

      const moveTo = (window: number): void => {
        first = window
        fireAt = window + size + grace + outOfOrderness
      }

      const take = (city: string, count: number, sum: number): void => {
        const total = totals.get(city)
        if (total === undefined) totals.set(city, { count, sum })
        else {
          total.count += count
          total.sum += sum
        }
      }

      const closeFirst = (): void => {
        for (let start = Math.max(first, summed); start < first + size; start += hop) {
          const pane = panes.get(start)
          if (pane !== undefined) for (const { city, totals: part } of pane.values()) take(city, part.count, part.sum)
        }
        summed = first + size
        for (const [city, { count, sum }] of totals)
          if (count > 0) sink.text(JSON.stringify({ city, start: first, count, sum }))
        const over = panes.get(first)
        if (over !== undefined) for (const { city, totals: part } of over.values()) take(city, -part.count, -part.sum)
        if (panes.delete(first)) dropped.push(first)
        if (first === currentStart) currentStart = Number.NaN
        if (first >= highestPane) first = fireAt = Infinity
        else moveTo(first + hop)
      }

      const commit = (): void => {
        for (const { start, city, totals } of dirty)
          if (panes.has(start)) db.put(rowKey(start, city), packr.pack(totals))
        epoch.commit(db, position, highest)
        // Panes die in order, so one range has them all.
        if (dropped.length > 0) db.clearRange(rowKey(dropped[0]!, ''), rowKey(dropped.at(-1)! + hop, ''))
        dirty = []
        dropped = []
        number++
      }

      return {
        run({ bytes, offsets, count }) {
          for (let i = 0; i < count; i++) {
            const { city, amount, ts } = JSON.parse(bytes.utf8Slice(offsets[i], offsets[i + 1])) as Order
            const start = ts - (ts % hop)
            if (start !== currentStart) {
              current = paneAt(start)
              currentStart = start
            }
            if (current !== undefined) {
              let entry = current.get(city)
              if (entry === undefined) {
                entry = { start, city, totals: { count: 0, sum: 0 }, changed: 0 }
                current.set(city, entry)
              }
              entry.totals.count++
              entry.totals.sum += amount
              if (start < summed) take(city, 1, amount)
              if (entry.changed !== number) {
                entry.changed = number
                dirty.push(entry)
              }
            }
            if (ts > highest) {
              highest = ts
              while (highest >= fireAt) closeFirst()
            }
            if (++position % batchSize === 0 && epoch.due()) commit()
          }
        },
        finish() {
          while (fireAt !== Infinity) closeFirst()
          commit()
        },
        close: () => db.close(),
      }
    },
  }
}

function rowKey(start: number, city: string): Buffer {
  const key = Buffer.alloc(8 + Buffer.byteLength(city))
  key.writeDoubleBE(start)
  key.write(city, 8)
  return key
}
