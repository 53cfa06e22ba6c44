import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Appended } from '../../../src/connectors/broker/log.ts'
import { frameKey } from '../../../src/connectors/broker/log-keys.ts'
import { LogReader } from '../../../src/connectors/broker/log-reader.ts'
import { EmbeddedLog } from '../../../src/connectors/embedded/log.ts'
import type { Backend } from '../../../src/state/backend.ts'
import { frameOf, frameOfValues, type PlainRecord, recordsOf } from '../broker/records.ts'
import { backends, temporaryDirectories } from './backends.ts'

const hour = 3_600_000

for (const [kind, open] of backends) {
  describe(`EmbeddedLog on ${kind}`, () => {
    const directory = temporaryDirectories()
    let backend: Backend
    let log: EmbeddedLog
    let now = 0

    const reopen = (): void => {
      log = new EmbeddedLog(backend, { now: () => now })
    }
    beforeEach(async () => {
      now = 1_000_000
      backend = await open(directory)
      reopen()
    })
    afterEach(() => backend.close())

    const append = (topic: string, partition: number, ...values: (string | null)[]): number => {
      const transaction = log.begin(backend.batch())
      const base = transaction.append(topic, partition, frameOfValues(...values))
      transaction.commit()
      return base
    }
    const appendKeyed = (topic: string, pairs: [key: string | null, value: string | null][]): void => {
      const transaction = log.begin(backend.batch())
      transaction.append(topic, 0, frameOf(pairs.map(([key, value]) => ({ key, value, timestamp: 7 }))))
      transaction.commit()
    }
    /** Offsets and records, by single fetches. */
    const all = (topic: string, partition = 0, reader: LogReader = log): [offset: number, record: PlainRecord][] => {
      const found: [number, PlainRecord][] = []
      for (let offset = 0; ; ) {
        const batch = reader.fetch(topic, partition, offset)
        if (batch === undefined) return found
        recordsOf(batch).forEach((record, i) => found.push([batch.offsets[i]!, record]))
        offset = batch.nextOffset
      }
    }
    const values = (topic: string, partition = 0, reader: LogReader = log): (string | null)[] =>
      all(topic, partition, reader).map(([, record]) => record.value)
    const settle = (): void => {
      while (log.maintain(now)) {
        // one bounded step after the other
      }
    }

    describe('topics', () => {
      it('are made once, and stay over a reopening', () => {
        log.createTopic('b', 2)
        log.createTopic('a', 1, { compact: true })
        log.createTopic('b', 2)
        reopen()
        assert.deepEqual(log.topics(), [
          { name: 'a', partitions: 1 },
          { name: 'b', partitions: 2 },
        ])
        assert.deepEqual(log.topic('b'), { name: 'b', partitions: 2 })
        assert.equal(log.topic('c'), undefined)
        assert.deepEqual(log.config('a'), { compact: true })
      })

      it('keep their number of partitions, and take another configuration', () => {
        log.createTopic('a', 2, { retentionMs: 5 })
        assert.throws(() => log.createTopic('a', 3), {
          code: 'DHAARA_TOPIC_PARTITIONS',
          message: /has 2 partition\(s\), not 3/,
        })
        log.createTopic('a', 2)
        assert.deepEqual(log.config('a'), { retentionMs: 5 })
        log.createTopic('a', 2, { retentionMs: 6 })
        reopen()
        assert.deepEqual(log.config('a'), { retentionMs: 6 })
      })

      it('have plain names', () => {
        for (const name of ['', 'a b', 'a/b', '..', 'x'.repeat(250)]) {
          assert.throws(() => log.createTopic(name, 1), { code: 'DHAARA_NAME_INVALID' })
        }
        for (const n of [0, 1.5, Number.NaN]) assert.throws(() => log.createTopic('a', n), { code: 'DHAARA_OPTION' })
        log.createTopic('x'.repeat(249), 1)
      })

      it('that are not there are named, with those that are', () => {
        log.createTopic('orders', 1)
        const unknown = { code: 'DHAARA_TOPIC_UNKNOWN', message: /no topic 'order'.*there are: orders/ }
        assert.throws(() => log.fetch('order', 0, 0), unknown)
        assert.throws(() => log.endOffset('order', 0), unknown)
        assert.throws(() => log.fetch('orders', 1, 0), { message: /no partition 1; it has 1/ })
      })

      it('can be deleted, and come back empty', () => {
        log.createTopic('a', 1)
        log.createTopic('b', 1)
        append('a', 0, 'old')
        append('b', 0, 'kept')
        log.deleteTopic('a')
        log.deleteTopic('a')
        assert.equal(log.topic('a'), undefined)
        log.createTopic('a', 3)
        assert.equal(log.endOffset('a', 0), 0)
        assert.deepEqual(values('a'), [])
        assert.deepEqual(values('b'), ['kept'])
      })
    })

    describe('append and fetch', () => {
      beforeEach(() => log.createTopic('t', 2))

      it('count offsets by partition', () => {
        assert.equal(append('t', 0, 'a', 'b'), 0)
        assert.equal(append('t', 0, 'c'), 2)
        assert.equal(append('t', 1, 'x'), 0)
        assert.deepEqual([log.endOffset('t', 0), log.endOffset('t', 1), log.startOffset('t', 0)], [3, 1, 0])
        assert.deepEqual(
          all('t').map(([offset]) => offset),
          [0, 1, 2],
        )
        assert.deepEqual(values('t'), ['a', 'b', 'c'])
        reopen()
        assert.deepEqual([log.endOffset('t', 0), log.endOffset('t', 1)], [3, 1])
        assert.equal(append('t', 1, 'y'), 1)
      })

      it('find any offset within a frame', () => {
        append('t', 0, 'a', 'b', 'c')
        append('t', 0, 'd', 'e')
        for (let offset = 0; offset < 5; offset++) {
          const batch = log.fetch('t', 0, offset)!
          assert.equal(batch.offsets[0], offset)
          assert.equal(recordsOf(batch)[0]!.value, 'abcde'[offset])
        }
        assert.equal(log.fetch('t', 0, 5), undefined)
        assert.equal(log.fetch('t', 0, 99), undefined)
      })

      it('join small frames, up to the bytes asked for', () => {
        for (let i = 0; i < 100; i++) append('t', 0, `${i}`)
        log.fetch('t', 0, 0)
        const joined = log.fetch('t', 0, 1)!
        assert.ok(joined.count > 10, `${joined.count} records`)
        assert.equal(log.fetch('t', 0, 1, 300)!.count, 3)
        assert.equal(log.fetch('t', 0, 1, 1)!.count, 1)
        assert.deepEqual(
          values('t'),
          Array.from({ length: 100 }, (_, i) => `${i}`),
        )
      })

      it('put several frames of one partition in one transaction', () => {
        const transaction = log.begin(backend.batch())
        assert.equal(transaction.append('t', 0, frameOfValues('a', 'b')), 0)
        assert.equal(transaction.append('t', 1, frameOfValues('x')), 0)
        assert.equal(transaction.append('t', 0, frameOfValues('c')), 2)
        assert.deepEqual(values('t'), [])
        transaction.commit()
        assert.deepEqual([values('t', 0), values('t', 1)], [['a', 'b', 'c'], ['x']])
      })

      it('show a commit as a whole, together with what else is in its batch', () => {
        const batch = backend.batch()
        batch.put(Buffer.from([9, 1]), Buffer.from('state'))
        const transaction = log.begin(batch)
        transaction.append('t', 0, frameOfValues('a'))
        assert.equal(backend.get(Buffer.from([9, 1])), undefined)
        transaction.commit()
        assert.equal(Buffer.from(backend.get(Buffer.from([9, 1]))!).toString(), 'state')
        assert.deepEqual(values('t'), ['a'])
      })

      it('tell listeners after the commit, once for all partitions', () => {
        const seen: (readonly Appended[])[] = []
        const listening = log.onAppend((appended) => seen.push(appended))
        append('t', 0, 'a')
        const transaction = log.begin(backend.batch())
        transaction.append('t', 0, frameOfValues('b'))
        transaction.append('t', 0, frameOfValues('c'))
        transaction.append('t', 1, frameOfValues('x'))
        assert.equal(seen.length, 1)
        transaction.commit()
        log.begin(backend.batch()).commit()
        listening[Symbol.dispose]()
        append('t', 0, 'd')
        assert.deepEqual(seen, [
          [{ topic: 't', partition: 0, baseOffset: 0, endOffset: 1 }],
          [
            { topic: 't', partition: 0, baseOffset: 1, endOffset: 3 },
            { topic: 't', partition: 1, baseOffset: 0, endOffset: 1 },
          ],
        ])
      })

      it('are read by others who can read the database', () => {
        append('t', 0, 'a', 'b')
        const reader = new LogReader(backend)
        assert.deepEqual(values('t', 0, reader), ['a', 'b'])
        assert.equal(reader.fetch('t', 0, 2), undefined)
        append('t', 0, 'c')
        assert.deepEqual([reader.startOffset('t', 0), reader.endOffset('t', 0)], [0, 3])
        assert.deepEqual(values('t', 0, reader), ['a', 'b', 'c'])
        assert.throws(() => reader.fetch('later', 0, 0), { code: 'DHAARA_TOPIC_UNKNOWN' })
        log.createTopic('later', 1)
        assert.equal(reader.fetch('later', 0, 0), undefined)
      })

      it('keep the offsets of groups', () => {
        assert.equal(log.groupOffset('g', 't', 1), undefined)
        const transaction = log.begin(backend.batch())
        transaction.setGroupOffset('g', 't', 1, 42)
        transaction.commit()
        reopen()
        assert.equal(log.groupOffset('g', 't', 1), 42)
        assert.equal(log.groupOffset('g', 't', 0), undefined)
        assert.equal(log.groupOffset('h', 't', 1), undefined)
      })

      it('name the place of damage, and hand out what lies before it', () => {
        append('t', 0, 'a')
        append('t', 0, 'b', 'c')
        append('t', 0, 'd')
        const key = frameKey(1, 0, 2)
        const frame = Buffer.from(backend.get(key)!)
        frame[frame.length - 1]! ^= 1
        const batch = backend.batch()
        batch.put(key, frame)
        batch.commit()
        log.fetch('t', 0, 0)
        assert.deepEqual(
          recordsOf(log.fetch('t', 0, 0)!).map((r) => r.value),
          ['a'],
        )
        assert.throws(() => log.fetch('t', 0, 1), {
          code: 'DHAARA_STATE_CORRUPT',
          message: /Topic 't', partition 0, offset 1: the records fail their checksum.*at offset 3/,
        })
        assert.deepEqual(
          recordsOf(log.fetch('t', 0, 3)!).map((r) => r.value),
          ['d'],
        )
      })
    })

    describe('a transaction', () => {
      beforeEach(() => log.createTopic('t', 1))

      it('that fails gives its offsets back', () => {
        append('t', 0, 'a')
        const seen: unknown[] = []
        log.onAppend((appended) => seen.push(appended))
        // The same failure as a full disk: the batch throws and keeps nothing.
        const batch = Object.assign(Object.create(backend.batch()) as ReturnType<Backend['batch']>, {
          put: () => undefined,
          commit: () => {
            throw new Error('No space left on device')
          },
        })
        const transaction = log.begin(batch)
        assert.equal(transaction.append('t', 0, frameOfValues('lost', 'too')), 1)
        assert.throws(() => transaction.commit(), /No space left/)
        assert.deepEqual([log.endOffset('t', 0), seen], [1, []])
        assert.equal(append('t', 0, 'b'), 1)
        assert.deepEqual(values('t'), ['a', 'b'])
      })

      it('that is rolled back leaves nothing', () => {
        const transaction = log.begin(backend.batch())
        transaction.append('t', 0, frameOfValues('a'))
        transaction.rollback()
        transaction.rollback()
        assert.equal(log.endOffset('t', 0), 0)
        assert.throws(() => transaction.append('t', 0, frameOfValues('a')), { code: 'DHAARA_INTERNAL' })
        assert.throws(() => transaction.commit(), { code: 'DHAARA_INTERNAL' })
        assert.equal(append('t', 0, 'b'), 0)
      })

      it('is alone', () => {
        const transaction = log.begin(backend.batch())
        assert.throws(() => log.begin(backend.batch()), { code: 'DHAARA_INTERNAL' })
        transaction.commit()
        log.begin(backend.batch()).rollback()
      })

      it('refuses what is no frame', () => {
        const transaction = log.begin(backend.batch())
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
            log.createTopic(topic, 3)
            const model: string[][] = [[], [], []]
            let next = 0
            for (const { frames, fails, reopen: again } of commits) {
              const transaction = log.begin(backend.batch())
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
              if (again) reopen()
            }
            for (let partition = 0; partition < 3; partition++) {
              assert.equal(log.endOffset(topic, partition), model[partition]!.length)
              const read: string[] = []
              for (let batch = log.fetch(topic, partition, 0, maxBytes); batch; ) {
                read.push(...recordsOf(batch).map((r) => r.value!))
                batch = log.fetch(topic, partition, batch.nextOffset, maxBytes)
              }
              assert.deepEqual(read, model[partition])
            }
          },
        ),
        { numRuns: 40 },
      )
    })

    describe('retention', () => {
      it('by time removes what was appended long ago, whatever its timestamp', () => {
        log.createTopic('t', 1, { retentionMs: hour })
        append('t', 0, 'a', 'b')
        now += hour / 2
        append('t', 0, 'c')
        settle()
        assert.deepEqual(values('t'), ['a', 'b', 'c'])
        now += hour / 2
        settle()
        assert.deepEqual(
          all('t').map(([offset, r]) => [offset, r.value]),
          [[2, 'c']],
        )
        assert.deepEqual([log.startOffset('t', 0), log.endOffset('t', 0)], [2, 3])
      })

      it('keeps the end of a log that it has emptied', () => {
        log.createTopic('t', 1, { retentionMs: hour })
        append('t', 0, 'a', 'b')
        now += hour
        settle()
        reopen()
        assert.deepEqual([log.startOffset('t', 0), log.endOffset('t', 0), values('t')], [2, 2, []])
        assert.equal(new LogReader(backend).endOffset('t', 0), 2)
        assert.equal(append('t', 0, 'c'), 2)
        settle()
        assert.deepEqual(
          all('t').map(([offset]) => offset),
          [2],
        )
      })

      it('by bytes keeps the newest frames that fit', () => {
        const frameBytes = frameOfValues('x'.repeat(100)).length
        log.createTopic('t', 1, { retentionBytes: 3 * frameBytes })
        for (let i = 0; i < 10; i++) {
          append('t', 0, `${i}`.repeat(100))
          if (i % 4 === 3) settle()
        }
        settle()
        assert.deepEqual(
          values('t').map((value) => value![0]),
          ['7', '8', '9'],
        )
        reopen()
        append('t', 0, 'a'.repeat(100))
        settle()
        assert.deepEqual(
          values('t').map((value) => value![0]),
          ['8', '9', 'a'],
        )
      })

      it('goes on in bounded steps', () => {
        log.createTopic('t', 2, { retentionMs: hour })
        for (let i = 0; i < 100; i++) append('t', i % 2, `${i}`)
        now += hour
        assert.equal(log.maintain(now), true)
        const left = values('t', 0).length + values('t', 1).length
        assert.ok(left > 0 && left < 100, `${left} left`)
        settle()
        assert.deepEqual([values('t', 0), values('t', 1)], [[], []])
        assert.equal(log.maintain(now), false)
      })

      it('leaves topics alone that have none', () => {
        log.createTopic('t', 1)
        append('t', 0, 'a')
        now += 1000 * 24 * hour
        assert.equal(log.maintain(now), false)
        assert.deepEqual(values('t'), ['a'])
      })
    })

    describe('compaction', () => {
      it('keeps the last record of each key at its offset, and those without a key', () => {
        log.createTopic('t', 1, { compact: true })
        appendKeyed('t', [
          ['a', '1'],
          ['b', '1'],
          [null, 'n'],
          ['a', '2'],
        ])
        appendKeyed('t', [
          ['c', '1'],
          ['a', '3'],
        ])
        appendKeyed('t', [['b', '2']])
        settle()
        // The last frame is never touched, so b1 is not yet known to be replaced.
        const expected = [
          [1, 'b', '1'],
          [2, null, 'n'],
          [4, 'c', '1'],
          [5, 'a', '3'],
          [6, 'b', '2'],
        ]
        const rows = (): unknown[] => all('t').map(([offset, { key, value }]) => [offset, key, value])
        assert.deepEqual(rows(), expected)
        reopen()
        assert.deepEqual(rows(), expected)
        assert.deepEqual([log.startOffset('t', 0), log.endOffset('t', 0)], [0, 7])
        assert.equal(log.fetch('t', 0, 0)!.offsets[0], 1)
        assert.equal(log.fetch('t', 0, 3)!.offsets[0], 4)
        const timestamps = new Set(all('t').map(([, { timestamp }]) => timestamp))
        assert.deepEqual([...timestamps], [7])
      })

      it('keeps deletions for a while', () => {
        log.createTopic('t', 1, { compact: true, deleteRetentionMs: hour })
        appendKeyed('t', [['a', '1']])
        appendKeyed('t', [['a', null]])
        appendKeyed('t', [['b', '1']])
        settle()
        assert.deepEqual(
          all('t').map(([offset, { value }]) => [offset, value]),
          [
            [1, null],
            [2, '1'],
          ],
        )
        now += hour
        appendKeyed('t', [['c', '1']])
        appendKeyed('t', [['c', '2']])
        settle()
        assert.equal(
          all('t').some(([, { value }]) => value === null),
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
            log.createTopic(topic, 1, { compact: true })
            const last = new Map<string, [number, string | null]>()
            let offset = 0
            made.forEach((pairs, i) => {
              appendKeyed(topic, pairs)
              for (const [k, v] of pairs) last.set(k, [offset++, v])
              if (i % every === 0) log.maintain(now)
              if (again && i === 7) reopen()
            })
            settle()
            const found = all(topic)
            for (let i = 1; i < found.length; i++) assert.ok(found[i]![0] > found[i - 1]![0])
            const lastFound = new Map(found.map(([at, { key: k, value: v }]) => [k, [at, v]]))
            assert.deepEqual(lastFound, last)
            for (let from = 0; from <= offset; from++) {
              const expected = found.find(([at]) => at >= from)
              assert.equal(log.fetch(topic, 0, from)?.offsets[0], expected?.[0])
            }
          }),
          { numRuns: 60 },
        )
      })

      it('merges small frames', () => {
        log.createTopic('t', 1, { compact: true })
        for (let i = 0; i < 64; i++) appendKeyed('t', [[`${i}`, 'v']])
        settle()
        assert.ok(log.fetch('t', 0, 0)!.count > 1)
        assert.equal(backend.collect({ gte: frameKey(1, 0, 0), lt: frameKey(1, 1, 0) }).length / 2 < 16, true)
        assert.equal(all('t').length, 64)
      })

      it('stops when there is nothing new', () => {
        log.createTopic('t', 1, { compact: true })
        appendKeyed('t', [['a', '1']])
        settle()
        assert.equal(log.maintain(now), false)
      })
    })
  })
}
