import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { numbers, plays, type Result, run, type Sent, sentIn, topologyOf, Watermark } from './topologies.ts'

const out = { key: serdes.string(), value: serdes.number() }

const deduplicated = (within: number, keep: 'first' | 'latest', by: (n: number) => unknown = (n) => n % 3) =>
  topologyOf((builder) => builder.stream('in0', numbers).deduplicate(by, { within, keep }).to('out', out))

/** Never forgets anything. */
function distinct(sent: readonly Sent[], within: number, keep: 'first' | 'latest'): Result[] {
  interface Group {
    readonly id: string
    readonly anchor: number
    best: Result
    open: boolean
  }
  const results: Result[] = []
  const groups: Group[] = []
  const time = new Watermark()
  const close = () => {
    const due = groups.filter((group) => group.open && group.anchor + within - 1 <= time.w)
    due.sort((a, b) => a.anchor - b.anchor || (a.id < b.id ? -1 : 1))
    for (const group of due) {
      group.open = false
      results.push(group.best)
    }
  }
  for (const { key, value, ts } of sent) {
    const id = `${key}${(value as number) % 3}`
    const like = groups.filter((group) => group.id === id && Math.abs(group.anchor - ts) < within)
    const record = { key, value, ts }
    if (ts + within - 1 > time.w) {
      const open = like.find((group) => group.open)
      if (open !== undefined && ts >= open.best.ts) open.best = record
      if (like.length === 0) {
        const waits = keep === 'latest' && ts + within - 1 > time.w
        groups.push({ id, anchor: ts, best: record, open: waits })
        if (!waits) results.push(record)
      }
    }
    time.pass(ts)
    close()
  }
  time.w = Number.POSITIVE_INFINITY
  close()
  return results
}

describe('deduplicate', () => {
  for (const keep of ['first', 'latest'] as const) {
    it(`lets the ${keep} of those that are alike go on, as one does that never forgets`, () => {
      fc.assert(
        fc.property(plays({ back: 40 }), fc.constantFrom(1, 5, 15, 100), (play, within) => {
          assert.deepEqual(run(deduplicated(within, keep), play), distinct(sentIn(play.events), within, keep))
        }),
        { numRuns: 80 },
      )
    })
  }

  it('tells objects apart by their content, and takes none for one', () => {
    const topology = deduplicated(10, 'first', (n) => (n < 2 ? undefined : { part: n % 2, more: [n % 3] }))
    const driver = new TopologyTestDriver(topology)
    for (const n of [0, 1, 2, 8, 5]) driver.input('in0').send(n, { key: 'a', timestamp: 1 })
    const values = driver
      .output('out')
      .readAll()
      .map(({ value }) => value)
    assert.deepEqual(values, [0, 2, 5])
  })

  it('forgets what cannot matter any more', () => {
    const driver = new TopologyTestDriver(deduplicated(10, 'first'))
    driver.input('in0').send(1, { key: 'a', timestamp: 5 })
    driver.checkpoint()
    driver.input('in0').send(2, { key: 'b', timestamp: 50 })
    driver.end()
    driver.checkpoint()
    assert.deepEqual([...driver.store('in0-deduplicate-1').values(['a', 1])], [])
  })

  it('works over all keys where the id is the key', () => {
    const topology = topologyOf((builder) =>
      builder
        .stream('in0', numbers)
        .selectKey((n) => `id${n}`, { key: serdes.string() })
        .deduplicate(() => true, { within: '1m' })
        .to('out', out),
    )
    const driver = new TopologyTestDriver(topology, { partitions: 3 })
    for (const [i, n] of [7, 8, 7, 9, 8].entries()) driver.input('in0').send(n, { key: `p${i}`, timestamp: i })
    const values = driver
      .output('out')
      .readAll()
      .map(({ value }) => value)
    assert.deepEqual(values.sort(), [7, 8, 9])
  })
})
