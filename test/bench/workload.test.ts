import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseRecord, readWorkload, writeWorkload } from '../../bench/workload/chunks.ts'
import { type Order, orderGenerator, outOfOrderness, startTime } from '../../bench/workload/orders.ts'

const take = (count: number, keys: 'uniform' | 'large' | 'skew', seed = 1): Order[] => {
  const next = orderGenerator({ keys, seed })
  return Array.from({ length: count }, () => next())
}

describe('order events', () => {
  const orders = take(20_000, 'uniform')

  it('are the same for the same seed, and others for another', () => {
    assert.deepEqual(take(100, 'uniform'), orders.slice(0, 100))
    assert.notDeepEqual(take(100, 'uniform', 2), orders.slice(0, 100))
  })

  it('have 150 to 200 bytes of JSON', () => {
    const sizes = orders.map((order) => JSON.stringify(order).length)
    assert.deepEqual([Math.min(...sizes), Math.max(...sizes)], [150, 200])
  })

  it('are 1 ms apart, about 1 % of them up to 5 s out of order', () => {
    const late = orders.filter((order, i) => order.ts !== startTime + i)
    assert.ok(late.length > 150 && late.length < 250, `${late.length} of 20,000`)
    for (const order of late) {
      const by = startTime + order.orderId - order.ts
      assert.ok(by >= 1 && by <= outOfOrderness)
    }
  })

  it('have 20 cities, and customers as asked for', () => {
    assert.equal(new Set(orders.map((order) => order.city)).size, 20)
    const highest = (list: Order[]): number => Math.max(...list.map((order) => order.customer))
    assert.ok(highest(orders) < 10_000 && highest(orders) > 9_900)
    assert.ok(highest(take(20_000, 'large')) > 990_000)
    // By Zipf's law with 10,000 numbers the first one has a share of 1 / 9.79.
    const first = take(20_000, 'skew').filter((order) => order.customer === 0).length
    assert.ok(first > 1_850 && first < 2_250, `${first} of 20,000`)
  })
})

describe('workload files', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'dhaara-workload-'))
  })
  after(() => rmSync(dir, { recursive: true }))

  it('give back what was written, chunk by chunk, and a prefix if less is asked for', () => {
    const path = join(dir, 'a.chunks')
    const next = orderGenerator({ keys: 'uniform', seed: 1 })
    writeWorkload(path, { records: 90, chunkSize: 30 }, next)
    const read = (records: number): Order[] =>
      [...readWorkload(path, records)].length === 0 ? [] : [...parsed(readWorkload(path, records))]
    function* parsed(chunks: ReturnType<typeof readWorkload>): Generator<Order> {
      for (const chunk of chunks) for (let i = 0; i < chunk.count; i++) yield parseRecord<Order>(chunk, i)
    }
    assert.deepEqual(read(90), take(90, 'uniform'))
    assert.deepEqual(read(60), take(60, 'uniform'))
    assert.throws(() => read(91), /has 90 records, 91 are needed/)
  })

  it('keep rows that are longer than expected', () => {
    const path = join(dir, 'b.chunks')
    const long = 'ü'.repeat(2_000)
    writeWorkload(path, { records: 4, chunkSize: 2 }, () => long)
    for (const chunk of readWorkload(path, 4)) assert.equal(parseRecord(chunk, 1), long)
  })
})
