import { Packr } from 'msgpackr'
import type { Subject } from '../../../harness/subject.ts'
import { type Order, outOfOrderness } from '../../../workload/orders.ts'
import { batchSize, Epoch } from '../common/epoch.ts'
import { Rocks } from '../common/rocks.ts'
import { Wheel } from './wheel.ts'

const gap = 30_000

interface Totals {
  first: number
  last: number
  count: number
  sum: number
}

/** An open session. `next` links the others of its customer, of which there are seldom any. */
export interface Session {
  readonly customer: number
  readonly totals: Totals
  next: Session | undefined
  open: boolean
  changed: number
  /** `first` as it was last written, which is part of the key; NaN if never. */
  written: number
}

/**
 * Open sessions by customer, and a wheel of timers that is looked at when the watermark moves. A timer is set once; when
 * it fires and its session has grown meanwhile, it is set again, so that a record costs no timer.
 */
export const subject: Subject = {
  async setup({ sink, dir }) {
    const db = await Rocks.open(dir)
    const packr = new Packr({ structures: [['first', 'last', 'count', 'sum']] })
    const epoch = new Epoch()
    const heads = new Map<number, Session | undefined>()
    const wheel = new Wheel<Session>()
    const key = Buffer.alloc(12)
    let dirty: Session[] = []
    let highest = -Infinity
    let number = 1
    let position = 0

    const keyOf = (customer: number, first: number): Buffer => {
      key.writeUInt32BE(customer)
      key.writeDoubleBE(first, 4)
      return key
    }

    const touch = (session: Session): void => {
      if (session.changed === number) return
      session.changed = number
      dirty.push(session)
    }

    const unlink = (session: Session): void => {
      session.open = false
      const head = heads.get(session.customer)
      if (head === session) {
        if (session.next === undefined) heads.delete(session.customer)
        else heads.set(session.customer, session.next)
        return
      }
      for (let at = head; at !== undefined; at = at.next) if (at.next === session) at.next = session.next
    }

    const start = (customer: number, ts: number, amount: number): void => {
      const session: Session = {
        customer,
        totals: { first: ts, last: ts, count: 1, sum: amount },
        next: heads.get(customer),
        open: true,
        changed: 0,
        written: Number.NaN,
      }
      heads.set(customer, session)
      wheel.set(ts + gap, session)
      touch(session)
    }

    const add = ({ customer, ts, amount }: Order): void => {
      let target: Session | undefined
      for (let at = heads.get(customer); at !== undefined; at = at.next) {
        const totals = at.totals
        if (ts < totals.first - gap || ts > totals.last + gap) continue
        if (target === undefined) {
          target = at
          totals.count++
          totals.sum += amount
          if (ts > totals.last) totals.last = ts
          else if (ts < totals.first) totals.first = ts
          touch(at)
        } else {
          // The record closed the hole between two sessions.
          const into = target.totals
          into.first = Math.min(into.first, totals.first)
          into.last = Math.max(into.last, totals.last)
          into.count += totals.count
          into.sum += totals.sum
          unlink(at)
          touch(at)
        }
      }
      if (target === undefined && ts + gap > highest - outOfOrderness - 1) start(customer, ts, amount)
    }

    const fire = (session: Session): void => {
      if (!session.open) return
      const { first, last, count, sum } = session.totals
      if (last + gap > highest - outOfOrderness - 1) {
        wheel.set(last + gap, session)
        return
      }
      sink.text(JSON.stringify({ customer: session.customer, first, last, count, sum }))
      unlink(session)
      touch(session)
    }

    const commit = (): void => {
      dirty.sort((a, b) => a.customer - b.customer)
      // Deletions first: a merged session may now have the key of one that it swallowed.
      for (const { customer, totals, written, open } of dirty) {
        if ((written !== totals.first || !open) && !Number.isNaN(written)) db.delete(keyOf(customer, written))
      }
      for (const session of dirty) {
        const { customer, totals, open } = session
        if (open) db.put(keyOf(customer, totals.first), packr.pack(totals))
        session.written = open ? totals.first : Number.NaN
      }
      epoch.commit(db, position, highest)
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
        highest = Infinity
        wheel.drain(fire)
        commit()
      },
      close: () => db.close(),
    }
  },
}
