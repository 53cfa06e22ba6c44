import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ArrivalQueue } from '../../../examples/lib/arrival-queue.ts'

describe('examples/lib/arrival-queue', () => {
  it('sorts by arrival, equal ones in the order of insertion', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 })), (arrivals) => {
        const queue = new ArrivalQueue<number>()
        arrivals.forEach((arrival, i) => {
          queue.push(arrival, i)
        })
        const sorted = arrivals.map((_, i) => i).sort((a, b) => (arrivals[a] as number) - (arrivals[b] as number))
        assert.deepEqual([...queue.until(Number.POSITIVE_INFINITY)], sorted)
      }),
    )
  })

  it('hands out what has arrived and keeps the rest', () => {
    const queue = new ArrivalQueue<string>()
    assert.equal(queue.next, Number.POSITIVE_INFINITY)
    queue.push(30, 'c')
    queue.push(10, 'a')
    queue.push(20, 'b')
    assert.deepEqual([...queue.until(20)], ['a', 'b'])
    queue.push(25, 'late')
    assert.equal(queue.next, 25)
    assert.deepEqual([...queue.until(99)], ['late', 'c'])
  })
})
