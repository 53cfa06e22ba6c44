import assert from 'node:assert/strict'
import { LogReader } from '../../../../src/connectors/broker/log-reader.ts'
import { frameOfValues } from '../../broker/records.ts'
import { describeLog } from './log-at-hand.ts'

const hour = 3_600_000

describeLog('retention', (hand) => {
  it('by time removes what was appended long ago, whatever its timestamp', () => {
    hand.log.createTopic('t', 1, { retentionMs: hour })
    hand.append('t', 0, 'a', 'b')
    hand.now += hour / 2
    hand.append('t', 0, 'c')
    hand.settle()
    assert.deepEqual(hand.values('t'), ['a', 'b', 'c'])
    hand.now += hour / 2
    hand.settle()
    assert.deepEqual(
      hand.all('t').map(([offset, r]) => [offset, r.value]),
      [[2, 'c']],
    )
    assert.deepEqual([hand.log.startOffset('t', 0), hand.log.endOffset('t', 0)], [2, 3])
  })

  it('keeps the end of a log that it has emptied', () => {
    hand.log.createTopic('t', 1, { retentionMs: hour })
    hand.append('t', 0, 'a', 'b')
    hand.now += hour
    hand.settle()
    hand.reopen()
    assert.deepEqual([hand.log.startOffset('t', 0), hand.log.endOffset('t', 0), hand.values('t')], [2, 2, []])
    assert.equal(new LogReader(hand.backend).endOffset('t', 0), 2)
    assert.equal(hand.append('t', 0, 'c'), 2)
    hand.settle()
    assert.deepEqual(
      hand.all('t').map(([offset]) => offset),
      [2],
    )
  })

  it('by bytes keeps the newest frames that fit', () => {
    const frameBytes = frameOfValues('x'.repeat(100)).length
    hand.log.createTopic('t', 1, { retentionBytes: 3 * frameBytes })
    for (let i = 0; i < 10; i++) {
      hand.append('t', 0, `${i}`.repeat(100))
      if (i % 4 === 3) hand.settle()
    }
    hand.settle()
    assert.deepEqual(
      hand.values('t').map((value) => value![0]),
      ['7', '8', '9'],
    )
    hand.reopen()
    hand.append('t', 0, 'a'.repeat(100))
    hand.settle()
    assert.deepEqual(
      hand.values('t').map((value) => value![0]),
      ['8', '9', 'a'],
    )
  })

  it('goes on in bounded steps', () => {
    hand.log.createTopic('t', 2, { retentionMs: hour })
    for (let i = 0; i < 100; i++) hand.append('t', i % 2, `${i}`)
    hand.now += hour
    assert.equal(hand.log.maintain(hand.now), true)
    const left = hand.values('t', 0).length + hand.values('t', 1).length
    assert.ok(left > 0 && left < 100, `${left} left`)
    hand.settle()
    assert.deepEqual([hand.values('t', 0), hand.values('t', 1)], [[], []])
    assert.equal(hand.log.maintain(hand.now), false)
  })

  it('leaves topics alone that have none', () => {
    hand.log.createTopic('t', 1)
    hand.append('t', 0, 'a')
    hand.now += 1000 * 24 * hour
    assert.equal(hand.log.maintain(hand.now), false)
    assert.deepEqual(hand.values('t'), ['a'])
  })
})
