import { Packr } from 'msgpackr'
import type { Subject } from '../../../harness/subject.ts'
import { type Order, outOfOrderness } from '../../../workload/orders.ts'
import { batchSize, Epoch } from '../common/epoch.ts'
import { Rocks } from '../common/rocks.ts'

const grace = 5_000

interface Totals {
  count: number
  sum: number
}

interface Entry {
  readonly city: string
  readonly totals: Totals
  changed: number
}

interface Window {
  readonly start: number
  readonly entries: Map<string, Entry>
  dirty: Entry[]
}

export const subject = tumblingByCity(60_000)

/** Two or three windows are open at a time, each a Map; the one of the last record is at hand. */
export function tumblingByCity(size: number): Subject {
  /** The event time that carries the watermark over the window's end and grace. */
  const closingTime = ({ start }: Window): number => start + size + grace + outOfOrderness
  return {
    async setup({ sink, dir }) {
      const db = await Rocks.open(dir)
      const packr = new Packr({ structures: [['count', 'sum']] })
      const epoch = new Epoch()
      const open: Window[] = []
      const closed: number[] = []
      let current: Window | undefined
      let highest = -Infinity
      /** The time that closes the oldest window. */
      let fireAt = Infinity
      let number = 1
      let position = 0

      /** Undefined if the record is late. */
      const windowAt = (start: number): Window | undefined => {
        const found = open.find((window) => window.start === start)
        if (found !== undefined) return found
        if (highest - outOfOrderness - 1 >= start + size + grace - 1) return undefined
        const window: Window = { start, entries: new Map(), dirty: [] }
        open.push(window)
        open.sort((a, b) => a.start - b.start)
        fireAt = closingTime(open[0]!)
        return window
      }

      const closeFirst = (): void => {
        const { start, entries } = open.shift()!
        for (const { city, totals } of entries.values()) {
          sink.text(JSON.stringify({ city, start, count: totals.count, sum: totals.sum }))
        }
        closed.push(start)
        current = undefined
        fireAt = open.length === 0 ? Infinity : closingTime(open[0]!)
      }

      const commit = (): void => {
        for (const window of open) {
          for (const { city, totals } of window.dirty) db.put(rowKey(window.start, city), packr.pack(totals))
          window.dirty = []
        }
        epoch.commit(db, position, highest)
        for (const start of closed) db.clearRange(windowKey(start), windowKey(start + size))
        closed.length = 0
        number++
      }

      return {
        run({ bytes, offsets, count }) {
          for (let i = 0; i < count; i++) {
            const { city, amount, ts } = JSON.parse(bytes.utf8Slice(offsets[i], offsets[i + 1])) as Order
            const start = ts - (ts % size)
            if (current === undefined || current.start !== start) current = windowAt(start)
            if (current !== undefined) {
              let entry = current.entries.get(city)
              if (entry === undefined) {
                entry = { city, totals: { count: 0, sum: 0 }, changed: 0 }
                current.entries.set(city, entry)
              }
              entry.totals.count++
              entry.totals.sum += amount
              if (entry.changed !== number) {
                entry.changed = number
                current.dirty.push(entry)
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
          while (open.length > 0) closeFirst()
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

function windowKey(start: number): Buffer {
  const key = Buffer.alloc(8)
  key.writeDoubleBE(start)
  return key
}
