import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes, type StreamsBuilder, windows } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { numbers, plays, type Result, run, type Sent, sentIn, topologyOf } from '../topologies.ts'

const key = serdes.string()
const text = { key, value: serdes.string() }

/** Each number with all the rules that hold; a rule is a number, which a tombstone deletes. */
const judged = (builder: StreamsBuilder, moved = false) => {
  const rules = builder.stream('in1', { key, value: serdes.number(), nullKeys: 'drop', tombstones: 'keep' })
  const stream = builder.stream('in0', numbers)
  return (moved ? stream.selectKey((n) => `k${n % 4}`, { key }) : stream).withBroadcast(
    rules,
    (n, all, k) =>
      `${k}${n}: ${all.size} ${[...all].map(([name, rule]) => `${name}=${rule}`).join(' ')} ${all.get('a')}`,
  )
}

function byHand(sent: readonly Sent[]): Result[] {
  const rules = new Map<string, number>()
  const results: Result[] = []
  for (const { topic, key, value, ts } of sent) {
    if (topic === 1) {
      if (value === null) rules.delete(key)
      else rules.set(key, value)
    } else if (value !== null) {
      const all = [...rules].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, rule]) => `${name}=${rule}`)
      results.push({ key, value: `${key}${value}: ${rules.size} ${all.join(' ')} ${rules.get('a')}`, ts })
    }
  }
  return results
}

describe('withBroadcast', () => {
  it('judges each record by the rules of the moment, over crashes and restores', () => {
    fc.assert(
      fc.property(plays({ topics: 2, tombstones: 2 }), (play) => {
        const topology = topologyOf((builder) => judged(builder).to('out', text))
        // one at a time: what is handed over together is read in the order of time
        assert.deepEqual(run(topology, { ...play, batchSize: 1 }), byHand(sentIn(play.events)))
      }),
      { numRuns: 80 },
    )
  })

  it('has all rules in every task', () => {
    fc.assert(
      fc.property(plays({ topics: 2, tombstones: 2 }), fc.boolean(), (play, moved) => {
        const topology = topologyOf((builder) => judged(builder, moved).to('out', text))
        const found = run(topology, { ...play, batchSize: 1 }, 3).map(({ value }) => value)
        const expected = byHand(sentIn(play.events)).map(({ value }) =>
          moved ? String(value).replace(/^.(\d+)/, (_, n) => `k${Number(n) % 4}${n}`) : value,
        )
        assert.deepEqual(found.sort(), expected.sort())
      }),
      { numRuns: 60 },
    )
  })

  it('does not wait for rules that stay away, and hands watermarks on', () => {
    const topology = topologyOf((builder) =>
      judged(builder)
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .count()
        .toStream()
        .to('out', { key: serdes.windowed(key), value: serdes.number() }),
    )
    const driver = new TopologyTestDriver(topology)
    for (const ts of [1, 2, 11]) driver.input('in0').send(ts, { key: 'a', timestamp: ts })
    const found = driver
      .output('out')
      .readAll()
      .map(({ value }) => value) // prettier-ignore
    assert.deepEqual(found, [2])
  })

  it('takes rules from the stream that they judge', () => {
    const topology = topologyOf((builder) => {
      const { rule, record } = builder
        .stream('in0', numbers)
        .split()
        .branch('rule', (n) => n < 10)
        .default('record')
      record
        .withBroadcast(rule, (n, rules) => n * 100 + (rules.get('a') ?? 0))
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .reduce((_, n) => n)
        .toStream()
        .to('out', { key: serdes.windowed(key), value: serdes.number() })
    })
    const driver = new TopologyTestDriver(topology, { partitions: 2 })
    for (const [i, n] of [50, 1, 51, 2, 52].entries()) driver.input('in0').send(n, { key: 'a', timestamp: i * 10 })
    driver.end()
    const found = driver
      .output('out')
      .readAll()
      .map(({ value }) => value) // prettier-ignore
    assert.deepEqual(found, [5000, 5101, 5202])
  })
})

describe('a stream that meets itself behind a repartition', () => {
  it('does not wait for itself', () => {
    const topology = topologyOf((builder) => {
      const stream = builder.stream('in0', numbers)
      stream
        .selectKey((n) => ['a', 'b'][n % 2] as string, { key })
        .join(stream.toTable(), (n, row) => n + row)
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .count()
        .toStream()
        .to('out', { key: serdes.windowed(key), value: serdes.number() })
    })
    for (const partitions of [1, 3]) {
      const driver = new TopologyTestDriver(topology, { partitions })
      const count = () =>
        driver
          .output<unknown, number>('out')
          .readAll()
          .reduce((sum, { value }) => sum + value, 0)
      for (const k of ['a', 'b']) driver.input('in0').send(0, { key: k, timestamp: 0 })
      for (let i = 1; i <= 60; i++) driver.input('in0').send(i, { key: `k${i % 5}`, timestamp: i })
      const before = count()
      if (partitions === 1) assert.ok(before > 40, `${before}`)
      driver.end()
      assert.equal(before + count(), 62)
    }
  })
})
