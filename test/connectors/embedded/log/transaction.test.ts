import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Backend } from '../../../../src/state/backend.ts'
import { frameOfValues, recordsOf } from '../../broker/records.ts'
import { describeLog } from './log-at-hand.ts'

describeLog('transactions', (hand) => {
  describe('a transaction', () => {
    beforeEach(() => hand.log.createTopic('t', 1))

    it('that fails gives its offsets back', () => {
      hand.append('t', 0, 'a')
      const seen: unknown[] = []
      hand.log.onAppend((appended) => seen.push(appended))
      // The same failure as a full disk: the batch throws and keeps nothing.
      const batch = Object.assign(Object.create(hand.backend.batch()) as ReturnType<Backend['batch']>, {
        put: () => undefined,
        commit: () => {
          throw new Error('No space left on device')
        },
      })
      const transaction = hand.log.begin(batch)
      assert.equal(transaction.append('t', 0, frameOfValues('lost', 'too')), 1)
      assert.throws(() => transaction.commit(), /No space left/)
      assert.deepEqual([hand.log.endOffset('t', 0), seen], [1, []])
      assert.equal(hand.append('t', 0, 'b'), 1)
      assert.deepEqual(hand.values('t'), ['a', 'b'])
    })

    it('that is rolled back leaves nothing', () => {
      const transaction = hand.log.begin(hand.backend.batch())
      transaction.append('t', 0, frameOfValues('a'))
      transaction.rollback()
      transaction.rollback()
      assert.equal(hand.log.endOffset('t', 0), 0)
      assert.throws(() => transaction.append('t', 0, frameOfValues('a')), { code: 'DHAARA_INTERNAL' })
      assert.throws(() => transaction.commit(), { code: 'DHAARA_INTERNAL' })
      assert.equal(hand.append('t', 0, 'b'), 0)
    })

    it('is alone', () => {
      const transaction = hand.log.begin(hand.backend.batch())
      assert.throws(() => hand.log.begin(hand.backend.batch()), { code: 'DHAARA_INTERNAL' })
      transaction.commit()
      hand.log.begin(hand.backend.batch()).rollback()
    })

    it('refuses what is no frame', () => {
      const transaction = hand.log.begin(hand.backend.batch())
      for (const bytes of [Buffer.from('text'), Buffer.alloc(100), frameOfValues('a').subarray(0, -1)]) {
        assert.throws(() => transaction.append('t', 0, bytes), { code: 'DHAARA_INTERNAL' })
      }
      transaction.rollback()
    })
  })
  it('has every record once and in order, however producers take turns', () => {
    let run = 0
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            frames: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 4 })), { maxLength: 4 }),
            fails: fc.boolean(),
            reopen: fc.boolean(),
          }),
          { maxLength: 12 },
        ),
        fc.integer({ min: 1, max: 600 }),
        (commits, maxBytes) => {
          const topic = `t${run++}`
          hand.log.createTopic(topic, 3)
          const model: string[][] = [[], [], []]
          let next = 0
          for (const { frames, fails, reopen: again } of commits) {
            const transaction = hand.log.begin(hand.backend.batch())
            const added: [partition: number, value: string][] = []
            for (const [partition, count] of frames) {
              const made = Array.from({ length: count }, () => `${next++}`)
              const before = model[partition]!.length + added.filter(([p]) => p === partition).length
              assert.equal(transaction.append(topic, partition, frameOfValues(...made)), before)
              for (const value of made) added.push([partition, value])
            }
            if (fails) transaction.rollback()
            else {
              transaction.commit()
              for (const [partition, value] of added) model[partition]!.push(value)
            }
            if (again) hand.reopen()
          }
          for (let partition = 0; partition < 3; partition++) {
            assert.equal(hand.log.endOffset(topic, partition), model[partition]!.length)
            const read: string[] = []
            for (let batch = hand.log.fetch(topic, partition, 0, maxBytes); batch; ) {
              read.push(...recordsOf(batch).map((r) => r.value!))
              batch = hand.log.fetch(topic, partition, batch.nextOffset, maxBytes)
            }
            assert.deepEqual(read, model[partition])
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})
