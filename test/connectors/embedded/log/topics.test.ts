import assert from 'node:assert/strict'
import { describeLog } from './log-at-hand.ts'

describeLog('topics', (hand) => {
  it('are made once, and stay over a reopening', () => {
    hand.log.createTopic('b', 2)
    hand.log.createTopic('a', 1, { compact: true })
    hand.log.createTopic('b', 2)
    hand.reopen()
    assert.deepEqual(hand.log.topics(), [
      { name: 'a', partitions: 1 },
      { name: 'b', partitions: 2 },
    ])
    assert.deepEqual(hand.log.topic('b'), { name: 'b', partitions: 2 })
    assert.equal(hand.log.topic('c'), undefined)
    assert.deepEqual(hand.log.config('a'), { compact: true })
  })

  it('keep their number of partitions, and take another configuration', () => {
    hand.log.createTopic('a', 2, { retentionMs: 5 })
    assert.throws(() => hand.log.createTopic('a', 3), {
      code: 'DHAARA_TOPIC_PARTITIONS',
      message: /has 2 partition\(s\), not 3/,
    })
    hand.log.createTopic('a', 2)
    assert.deepEqual(hand.log.config('a'), { retentionMs: 5 })
    hand.log.createTopic('a', 2, { retentionMs: 6 })
    hand.reopen()
    assert.deepEqual(hand.log.config('a'), { retentionMs: 6 })
  })

  it('have plain names', () => {
    for (const name of ['', 'a b', 'a/b', '..', 'x'.repeat(250)]) {
      assert.throws(() => hand.log.createTopic(name, 1), { code: 'DHAARA_NAME_INVALID' })
    }
    for (const n of [0, 1.5, Number.NaN]) assert.throws(() => hand.log.createTopic('a', n), { code: 'DHAARA_OPTION' })
    hand.log.createTopic('x'.repeat(249), 1)
  })

  it('that are not there are named, with those that are', () => {
    hand.log.createTopic('orders', 1)
    const unknown = { code: 'DHAARA_TOPIC_UNKNOWN', message: /no topic 'order'.*there are: orders/ }
    assert.throws(() => hand.log.fetch('order', 0, 0), unknown)
    assert.throws(() => hand.log.endOffset('order', 0), unknown)
    assert.throws(() => hand.log.fetch('orders', 1, 0), { message: /no partition 1; it has 1/ })
  })

  it('can be deleted, and come back empty', () => {
    hand.log.createTopic('a', 1)
    hand.log.createTopic('b', 1)
    hand.append('a', 0, 'old')
    hand.append('b', 0, 'kept')
    hand.log.deleteTopic('a')
    hand.log.deleteTopic('a')
    assert.equal(hand.log.topic('a'), undefined)
    hand.log.createTopic('a', 3)
    assert.equal(hand.log.endOffset('a', 0), 0)
    assert.deepEqual(hand.values('a'), [])
    assert.deepEqual(hand.values('b'), ['kept'])
  })
})
