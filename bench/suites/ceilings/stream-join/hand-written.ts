import type { Subject } from '../../../harness/subject.ts'
import { type Order, outOfOrderness } from '../../../workload/orders.ts'
import { batchSize, Epoch } from '../common/epoch.ts'
import { Rocks } from '../common/rocks.ts'
import { Wheel } from '../session/wheel.ts'

const within = 10_000
const grace = 5_000
const reach = within + grace

interface Kept {
  readonly customer: number
  readonly orderId: number
  readonly ts: number
  readonly side: 0 | 1
  matched: boolean
  /** Number of the checkpoint that it goes with. */
  changed: number
}

/** Of one customer; what has expired is taken out when the customer is looked at. */
interface Orders {
  lefts: Kept[]
  rights: Kept[]
}

/** Orders by customer, and a wheel of timers for those that have met nobody. Only their numbers and times are kept. */
export const subject: Subject = {
  async setup({ sink, dir }) {
    const db = await Rocks.open(dir)
    const epoch = new Epoch()
    const customers = new Map<number, Orders>()
    const wheel = new Wheel<Kept>()
    const key = Buffer.alloc(13)
    const row = Buffer.alloc(5)
    let dirty: Kept[] = []
    let highest = -Infinity
    let number = 1
    let position = 0

    const keyOf = (side: number, ts: number, orderId: number): Buffer => {
      key[0] = side
      key.writeDoubleBE(ts, 1)
      key.writeUInt32BE(orderId, 9)
      return key
    }

    const touch = (kept: Kept): void => {
      if (kept.changed === number) return
      kept.changed = number
      dirty.push(kept)
    }

    const write = (customer: number, left: number, right: number | null): void =>
      sink.text(JSON.stringify({ customer, left, right }))

    const live = (all: Kept[], watermark: number): Kept[] =>
      all.length > 0 && all[0]!.ts + reach <= watermark ? all.filter(({ ts }) => ts + reach > watermark) : all

    const add = ({ customer, orderId, ts, channel }: Order): void => {
      const watermark = highest - outOfOrderness - 1
      let orders = customers.get(customer)
      if (orders === undefined) customers.set(customer, (orders = { lefts: [], rights: [] }))
      orders.lefts = live(orders.lefts, watermark)
      orders.rights = live(orders.rights, watermark)
      const side = channel === 'app' || channel === 'web' ? 0 : 1
      const kept: Kept = { customer, orderId, ts, side, matched: false, changed: 0 }
      for (const other of side === 0 ? orders.rights : orders.lefts) {
        if (Math.abs(other.ts - ts) > within || other.ts + reach <= watermark) continue
        write(customer, side === 0 ? orderId : other.orderId, side === 0 ? other.orderId : orderId)
        kept.matched = true
        if (side === 1 && !other.matched) {
          other.matched = true
          touch(other)
        }
      }
      if (side === 0) {
        orders.lefts.push(kept)
        if (!kept.matched) wheel.set(ts + reach, kept)
      } else orders.rights.push(kept)
      touch(kept)
    }

    const fire = (kept: Kept): void => {
      if (!kept.matched) write(kept.customer, kept.orderId, null)
    }

    const commit = (): void => {
      const closed = highest - outOfOrderness - 1 - reach
      for (const { side, ts, orderId, customer, matched } of dirty) {
        row.writeUInt32BE(customer)
        row[4] = matched ? 1 : 0
        db.put(keyOf(side, ts, orderId), row)
      }
      epoch.commit(db, position, highest)
      for (const side of [0, 1]) {
        const from = Buffer.from(keyOf(side, 0, 0))
        db.clearRange(from, keyOf(side, Number.isFinite(closed) ? closed : Number.MAX_VALUE, 0))
      }
      dirty = []
      number++
    }

    return {
      run({ bytes, offsets, count }) {
        for (let i = 0; i < count; i++) {
          const order = JSON.parse(bytes.utf8Slice(offsets[i], offsets[i + 1])) as Order
          add(order)
          if (order.ts > highest) {
            highest = order.ts
            wheel.advance(highest - outOfOrderness - 1, fire)
          }
          if (++position % batchSize === 0 && epoch.due()) commit()
        }
      },
      finish() {
        wheel.drain(fire)
        highest = Infinity
        commit()
      },
      close: () => db.close(),
    }
  },
}
