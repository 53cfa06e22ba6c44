import assert from 'node:assert/strict'
import fc from 'fast-check'
import { frameKey } from '../../../../src/connectors/broker/log-keys.ts'
import { describeLog } from './log-at-hand.ts'

const hour = 3_600_000

describeLog('compaction', (hand) => {
  it('keeps the last record of each key at its offset, and those without a key', () => {
    hand.log.createTopic('t', 1, { compact: true })
    hand.appendKeyed('t', [
      ['a', '1'],
      ['b', '1'],
      [null, 'n'],
      ['a', '2'],
    ])
    hand.appendKeyed('t', [
      ['c', '1'],
      ['a', '3'],
    ])
    hand.appendKeyed('t', [['b', '2']])
    hand.settle()
    // The last frame is never touched, so b1 is not yet known to be replaced.
    const expected = [
      [1, 'b', '1'],
      [2, null, 'n'],
      [4, 'c', '1'],
      [5, 'a', '3'],
      [6, 'b', '2'],
    ]
    const rows = (): unknown[] => hand.all('t').map(([offset, { key, value }]) => [offset, key, value])
    assert.deepEqual(rows(), expected)
    hand.reopen()
    assert.deepEqual(rows(), expected)
    assert.deepEqual([hand.log.startOffset('t', 0), hand.log.endOffset('t', 0)], [0, 7])
    assert.equal(hand.log.fetch('t', 0, 0)!.offsets[0], 1)
    assert.equal(hand.log.fetch('t', 0, 3)!.offsets[0], 4)
    const timestamps = new Set(hand.all('t').map(([, { timestamp }]) => timestamp))
    assert.deepEqual([...timestamps], [7])
  })

  it('keeps deletions for a while', () => {
    hand.log.createTopic('t', 1, { compact: true, deleteRetentionMs: hour })
    hand.appendKeyed('t', [['a', '1']])
    hand.appendKeyed('t', [['a', null]])
    hand.appendKeyed('t', [['b', '1']])
    hand.settle()
    assert.deepEqual(
      hand.all('t').map(([offset, { value }]) => [offset, value]),
      [
        [1, null],
        [2, '1'],
      ],
    )
    hand.now += hour
    hand.appendKeyed('t', [['c', '1']])
    hand.appendKeyed('t', [['c', '2']])
    hand.settle()
    assert.equal(
      hand.all('t').some(([, { value }]) => value === null),
      false,
    )
  })

  it('gives a reader who begins at any offset the last value of each key that it has not passed', () => {
    let run = 0
    const key = fc.constantFrom('a', 'b', 'c', 'd')
    const value = fc.option(fc.string({ maxLength: 3 }).map((s) => Buffer.from(s).toString('latin1')))
    const frames = fc.array(fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 6 }), { maxLength: 25 })
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 5 }), fc.boolean(), (made, every, again) => {
        const topic = `compact${run++}`
        hand.log.createTopic(topic, 1, { compact: true })
        const last = new Map<string, [number, string | null]>()
        let offset = 0
        made.forEach((pairs, i) => {
          hand.appendKeyed(topic, pairs)
          for (const [k, v] of pairs) last.set(k, [offset++, v])
          if (i % every === 0) hand.log.maintain(hand.now)
          if (again && i === 7) hand.reopen()
        })
        hand.settle()
        const found = hand.all(topic)
        for (let i = 1; i < found.length; i++) assert.ok(found[i]![0] > found[i - 1]![0])
        const lastFound = new Map(found.map(([at, { key: k, value: v }]) => [k, [at, v]]))
        assert.deepEqual(lastFound, last)
        for (let from = 0; from <= offset; from++) {
          const expected = found.find(([at]) => at >= from)
          assert.equal(hand.log.fetch(topic, 0, from)?.offsets[0], expected?.[0])
        }
      }),
      { numRuns: 60 },
    )
  })

  it('merges small frames', () => {
    hand.log.createTopic('t', 1, { compact: true })
    for (let i = 0; i < 64; i++) hand.appendKeyed('t', [[`${i}`, 'v']])
    hand.settle()
    assert.ok(hand.log.fetch('t', 0, 0)!.count > 1)
    assert.equal(hand.backend.collect({ gte: frameKey(1, 0, 0), lt: frameKey(1, 1, 0) }).length / 2 < 16, true)
    assert.equal(hand.all('t').length, 64)
  })

  it('goes through compressed frames', () => {
    hand.log.createTopic('t', 1, { compact: true })
    const keys = Array.from({ length: 40 }, (_, i) => `${i}`)
    for (const value of ['1', '2', '3']) hand.appendPacked('t', keys, value.repeat(500))
    hand.appendKeyed('t', [['0', 'last']])
    hand.settle()
    assert.deepEqual(
      hand.all('t').map(([offset, { key, value }]) => [offset, key, value]),
      [...keys.map((key, i) => [80 + i, key, '3'.repeat(500)]), [120, '0', 'last']],
    )
  })

  it('stops when there is nothing new', () => {
    hand.log.createTopic('t', 1, { compact: true })
    hand.appendKeyed('t', [['a', '1']])
    hand.settle()
    assert.equal(hand.log.maintain(hand.now), false)
  })
})
