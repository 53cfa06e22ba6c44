import assert from 'node:assert/strict'
import type { Appended } from '../../../src/connectors/broker/log.ts'
import { Latency } from '../../../src/engine/metrics/index.ts'

const append = (partition: number, baseOffset: number, endOffset: number): Appended =>
  ({ topic: 'orders', partition, baseOffset, endOffset }) as Appended

describe('latency from an input to the commit', () => {
  it('counts each record with the commit that has it, also in the middle of what came together', () => {
    const latency = new Latency([['orders', 2]])
    latency.appended([append(0, 0, 1000), append(1, 0, 10)])
    const counted = (partition: number, position: number): number => {
      latency.committed('orders', partition, position)
      return latency.take().count
    }
    assert.equal(counted(0, 300), 300)
    assert.equal(counted(0, 300), 0)
    assert.equal(counted(1, 10), 10)
    latency.appended([append(0, 1000, 1001)])
    assert.equal(counted(0, 999), 699)
    assert.equal(counted(0, 1001), 2)
    assert.equal(latency.total.count, 1011)
  })

  it('leaves out what was there before the start', () => {
    const latency = new Latency([['orders', 1]])
    latency.appended([append(0, 500, 510)])
    latency.committed('orders', 0, 400)
    assert.equal(latency.total.count, 0)
    latency.committed('orders', 0, 505)
    assert.equal(latency.total.count, 5)
  })
})
