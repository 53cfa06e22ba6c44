import { Packr } from 'msgpackr'
import type { Subject } from '../../../harness/subject.ts'
import type { Chunk } from '../../../workload/chunks.ts'
import type { Order } from '../../../workload/orders.ts'
import { batchSize, Epoch } from '../common/epoch.ts'
import { Rocks } from '../common/rocks.ts'

interface Totals {
  count: number
  sum: number
  max: number
}

interface Entry {
  readonly customer: number
  readonly totals: Totals
  changed: number
}

/** Decoded entries kept between epochs: a tenth of all keys. */
const cacheSize = 100_000
/** Stands in a batch for an entry that is being read. */
const awaited: Entry = { customer: -1, totals: { count: 0, sum: 0, max: 0 }, changed: 0 }

/**
 * More keys than the cache may hold. Each batch of records is parsed first, and what the cache lacks is read with one
 * multi-get. The cache is two generations: what is touched moves to the young one; when that is full it becomes the old
 * one, whose untouched entries are forgotten. What changed is held until its epoch is written.
 */
export const subject: Subject = {
  async setup({ sink, dir }) {
    const db = await Rocks.open(dir)
    const packr = new Packr({ structures: [['count', 'sum', 'max']] })
    const epoch = new Epoch()
    const writeKey = Buffer.alloc(4)
    const keys = Array.from({ length: batchSize }, () => Buffer.alloc(4))
    const orders: Order[] = []
    const missing: number[] = []
    let young = new Map<number, Entry>()
    let old = new Map<number, Entry>()
    let dirty = new Map<number, Entry>()
    let number = 1
    let position = 0

    const keep = (entry: Entry): void => {
      if (young.size >= cacheSize / 2) {
        old = young
        young = new Map()
      }
      young.set(entry.customer, entry)
    }

    const commit = (): void => {
      const entries = [...dirty.values()].sort((a, b) => a.customer - b.customer)
      for (const { customer, totals } of entries) {
        writeKey.writeUInt32BE(customer)
        db.put(writeKey, packr.pack(totals))
      }
      epoch.commit(db, position)
      dirty = new Map()
      number++
    }

    /** Brings every customer of the batch into `batch`. */
    const load = (batch: Map<number, Entry>): void => {
      missing.length = 0
      for (const { customer } of orders) {
        if (batch.has(customer)) continue
        let entry = young.get(customer)
        if (entry === undefined) {
          entry = old.get(customer) ?? dirty.get(customer)
          if (entry !== undefined) keep(entry)
        }
        if (entry !== undefined) {
          batch.set(customer, entry)
          continue
        }
        keys[missing.length]!.writeUInt32BE(customer)
        missing.push(customer)
        batch.set(customer, awaited)
      }
      if (missing.length === 0) return
      const values = db.getMany(missing.length === batchSize ? keys : keys.slice(0, missing.length))
      for (let i = 0; i < missing.length; i++) {
        const customer = missing[i]!
        const value = values[i]
        const totals = value === undefined ? { count: 0, sum: 0, max: 0 } : (packr.unpack(value) as Totals)
        const entry = { customer, totals, changed: 0 }
        batch.set(customer, entry)
        keep(entry)
      }
    }

    const runBatch = ({ bytes, offsets }: Chunk, from: number, to: number): void => {
      orders.length = 0
      for (let i = from; i < to; i++) orders.push(JSON.parse(bytes.utf8Slice(offsets[i], offsets[i + 1])) as Order)
      const batch = new Map<number, Entry>()
      load(batch)
      for (const { customer, amount } of orders) {
        const entry = batch.get(customer)!
        const totals = entry.totals
        totals.count++
        totals.sum += amount
        if (amount > totals.max) totals.max = amount
        if (entry.changed !== number) {
          entry.changed = number
          dirty.set(customer, entry)
        }
        sink.text(JSON.stringify({ customer, count: totals.count, sum: totals.sum, max: totals.max }))
      }
      position += to - from
      if (epoch.due()) commit()
    }

    return {
      run(chunk) {
        for (let from = 0; from < chunk.count; from += batchSize) {
          runBatch(chunk, from, Math.min(from + batchSize, chunk.count))
        }
      },
      finish: commit,
      close: () => db.close(),
    }
  },
}
