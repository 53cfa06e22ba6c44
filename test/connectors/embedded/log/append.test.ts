import assert from 'node:assert/strict'
import type { Appended } from '../../../../src/connectors/broker/log.ts'
import { frameKey } from '../../../../src/connectors/broker/log-keys.ts'
import { LogReader } from '../../../../src/connectors/broker/log-reader.ts'
import { frameOfValues, recordsOf } from '../../broker/records.ts'
import { describeLog } from './log-at-hand.ts'

describeLog('append and fetch', (hand) => {
  beforeEach(() => hand.log.createTopic('t', 2))

  it('count offsets by partition', () => {
    assert.equal(hand.append('t', 0, 'a', 'b'), 0)
    assert.equal(hand.append('t', 0, 'c'), 2)
    assert.equal(hand.append('t', 1, 'x'), 0)
    assert.deepEqual([hand.log.endOffset('t', 0), hand.log.endOffset('t', 1), hand.log.startOffset('t', 0)], [3, 1, 0])
    assert.deepEqual(
      hand.all('t').map(([offset]) => offset),
      [0, 1, 2],
    )
    assert.deepEqual(hand.values('t'), ['a', 'b', 'c'])
    hand.reopen()
    assert.deepEqual([hand.log.endOffset('t', 0), hand.log.endOffset('t', 1)], [3, 1])
    assert.equal(hand.append('t', 1, 'y'), 1)
  })

  it('find any offset within a frame', () => {
    hand.append('t', 0, 'a', 'b', 'c')
    hand.append('t', 0, 'd', 'e')
    for (let offset = 0; offset < 5; offset++) {
      const batch = hand.log.fetch('t', 0, offset)!
      assert.equal(batch.offsets[0], offset)
      assert.equal(recordsOf(batch)[0]!.value, 'abcde'[offset])
    }
    assert.equal(hand.log.fetch('t', 0, 5), undefined)
    assert.equal(hand.log.fetch('t', 0, 99), undefined)
  })

  it('join small frames, up to the bytes asked for', () => {
    for (let i = 0; i < 100; i++) hand.append('t', 0, `${i}`)
    hand.log.fetch('t', 0, 0)
    const joined = hand.log.fetch('t', 0, 1)!
    assert.ok(joined.count > 10, `${joined.count} records`)
    assert.equal(hand.log.fetch('t', 0, 1, 300)!.count, 3)
    assert.equal(hand.log.fetch('t', 0, 1, 1)!.count, 1)
    assert.deepEqual(
      hand.values('t'),
      Array.from({ length: 100 }, (_, i) => `${i}`),
    )
  })

  it('read compressed frames among small ones, one at a time where they are large', () => {
    const keys = Array.from({ length: 100 }, (_, i) => `${i}`)
    for (let round = 0; round < 3; round++) {
      hand.append('t', 0, 'a')
      hand.append('t', 0, 'b')
      hand.appendPacked('t', keys, 'v'.repeat(1000))
    }
    const all = ['a', 'b', ...keys.map(() => 'v'.repeat(1000))]
    assert.deepEqual(hand.values('t'), [...all, ...all, ...all])
    assert.equal(hand.log.fetch('t', 0, 2)!.count, 100)
    assert.equal(hand.log.fetch('t', 0, 50)!.count, 52)
    hand.reopen()
    assert.equal(hand.log.endOffset('t', 0), 306)
    assert.deepEqual(hand.values('t'), [...all, ...all, ...all])
  })

  it('put several frames of one partition in one transaction', () => {
    const transaction = hand.log.begin(hand.backend.batch())
    assert.equal(transaction.append('t', 0, frameOfValues('a', 'b')), 0)
    assert.equal(transaction.append('t', 1, frameOfValues('x')), 0)
    assert.equal(transaction.append('t', 0, frameOfValues('c')), 2)
    assert.deepEqual(hand.values('t'), [])
    transaction.commit()
    assert.deepEqual([hand.values('t', 0), hand.values('t', 1)], [['a', 'b', 'c'], ['x']])
  })

  it('show a commit as a whole, together with what else is in its batch', () => {
    const batch = hand.backend.batch()
    batch.put(Buffer.from([9, 1]), Buffer.from('state'))
    const transaction = hand.log.begin(batch)
    transaction.append('t', 0, frameOfValues('a'))
    assert.equal(hand.backend.get(Buffer.from([9, 1])), undefined)
    transaction.commit()
    assert.equal(Buffer.from(hand.backend.get(Buffer.from([9, 1]))!).toString(), 'state')
    assert.deepEqual(hand.values('t'), ['a'])
  })

  it('tell listeners after the commit, once for all partitions', () => {
    const seen: (readonly Appended[])[] = []
    const listening = hand.log.onAppend((appended) => seen.push(appended))
    hand.append('t', 0, 'a')
    const transaction = hand.log.begin(hand.backend.batch())
    transaction.append('t', 0, frameOfValues('b'))
    transaction.append('t', 0, frameOfValues('c'))
    transaction.append('t', 1, frameOfValues('x'))
    assert.equal(seen.length, 1)
    transaction.commit()
    hand.log.begin(hand.backend.batch()).commit()
    listening[Symbol.dispose]()
    hand.append('t', 0, 'd')
    assert.deepEqual(seen, [
      [{ topic: 't', partition: 0, baseOffset: 0, endOffset: 1 }],
      [
        { topic: 't', partition: 0, baseOffset: 1, endOffset: 3 },
        { topic: 't', partition: 1, baseOffset: 0, endOffset: 1 },
      ],
    ])
  })

  it('are read by others who can read the database', () => {
    hand.append('t', 0, 'a', 'b')
    const reader = new LogReader(hand.backend)
    assert.deepEqual(hand.values('t', 0, reader), ['a', 'b'])
    assert.equal(reader.fetch('t', 0, 2), undefined)
    hand.append('t', 0, 'c')
    assert.deepEqual([reader.startOffset('t', 0), reader.endOffset('t', 0)], [0, 3])
    assert.deepEqual(hand.values('t', 0, reader), ['a', 'b', 'c'])
    assert.throws(() => reader.fetch('later', 0, 0), { code: 'DHAARA_TOPIC_UNKNOWN' })
    hand.log.createTopic('later', 1)
    assert.equal(reader.fetch('later', 0, 0), undefined)
  })

  it('keep the offsets of groups', () => {
    assert.equal(hand.log.groupOffset('g', 't', 1), undefined)
    const transaction = hand.log.begin(hand.backend.batch())
    transaction.setGroupOffset('g', 't', 1, 42)
    transaction.commit()
    hand.reopen()
    assert.equal(hand.log.groupOffset('g', 't', 1), 42)
    assert.equal(hand.log.groupOffset('g', 't', 0), undefined)
    assert.equal(hand.log.groupOffset('h', 't', 1), undefined)
  })

  it('name the place of damage, and hand out what lies before it', () => {
    hand.append('t', 0, 'a')
    hand.append('t', 0, 'b', 'c')
    hand.append('t', 0, 'd')
    const key = frameKey(1, 0, 2)
    const frame = Buffer.from(hand.backend.get(key)!)
    frame[frame.length - 1]! ^= 1
    const batch = hand.backend.batch()
    batch.put(key, frame)
    batch.commit()
    hand.log.fetch('t', 0, 0)
    assert.deepEqual(
      recordsOf(hand.log.fetch('t', 0, 0)!).map((r) => r.value),
      ['a'],
    )
    assert.throws(() => hand.log.fetch('t', 0, 1), {
      code: 'DHAARA_STATE_CORRUPT',
      message: /Topic 't', partition 0, offset 1: the records fail their checksum.*at offset 3/,
    })
    assert.deepEqual(
      recordsOf(hand.log.fetch('t', 0, 3)!).map((r) => r.value),
      ['d'],
    )
  })
})
