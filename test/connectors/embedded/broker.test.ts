import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { type EmbeddedBroker, type EmbeddedLease, openEmbedded } from '../../../src/connectors/broker/index.ts'
import { partitionOf } from '../../../src/connectors/broker/partitioner.ts'
import { embeddedBroker } from '../../../src/connectors/embedded/index.ts'
import { recordsOf } from '../broker/records.ts'
import { temporaryDirectories } from './backends.ts'
import { json, take, text } from './text.ts'

const keyed = { key: text, value: text }

describe('embeddedBroker', () => {
  const directory = temporaryDirectories()
  let broker: EmbeddedBroker
  let lease: EmbeddedLease

  beforeEach(async () => {
    broker = embeddedBroker({ partitions: 4 })
    lease = await openEmbedded(broker)
  })
  afterEach(() => broker[Symbol.asyncDispose]())

  const stored = (topic: string, partition: number): (string | null)[] => {
    const values: (string | null)[] = []
    for (let offset = 0; ; ) {
      const batch = lease.log.fetch(topic, partition, offset)
      if (batch === undefined) return values
      values.push(...recordsOf(batch).map((record) => record.value))
      offset = batch.nextOffset
    }
  }
  const countCommits = (): { commits: number } => {
    const counter = { commits: 0 }
    lease.log.onAppend(() => counter.commits++)
    return counter
  }

  describe('a producer', () => {
    it('commits the sends of a tick together, for all partitions', async () => {
      await using producer = broker.producer('t', keyed)
      await producer.flush()
      const seen: number[] = []
      lease.log.onAppend((appended) => seen.push(appended.length))
      const sent = Array.from({ length: 100 }, (_, i) => producer.send({ key: `${i}`, value: `${i}` }))
      assert.deepEqual(seen, [])
      await Promise.all(sent)
      assert.deepEqual(seen, [4])
    })

    it('puts a key where Kafka would, in the order of sending', async () => {
      await using producer = broker.producer('t', keyed)
      for (let i = 0; i < 40; i++) void producer.send({ key: `k${i % 7}`, value: `${i}` })
      await producer.flush()
      for (let p = 0; p < 4; p++) {
        const expected = Array.from({ length: 40 }, (_, i) => i).filter(
          (i) => partitionOf(Buffer.from(`k${i % 7}`), 4) === p,
        )
        assert.deepEqual(stored('t', p), expected.map(String))
      }
    })

    it('goes round the partitions, a flush each, without a key', async () => {
      await using producer = broker.producer<string, string>('t', { value: text })
      for (let flush = 0; flush < 5; flush++) {
        await Promise.all([producer.send({ value: `${flush}` }), producer.send({ value: `${flush}` })])
      }
      const counts = [0, 1, 2, 3].map((p) => stored('t', p).length).sort((a, b) => a - b)
      assert.deepEqual(counts, [2, 2, 2, 4])
    })

    it('writes timestamp, headers, null values and the partition asked for', async () => {
      await using producer = broker.producer<string, string>('t', { value: text })
      const headers = { a: 'x', b: Buffer.from('y') }
      await producer.send({ key: 'k', value: null, timestamp: 5, headers, partition: 2 })
      const [record] = recordsOf(lease.log.fetch('t', 2, 0)!)
      assert.deepEqual(record, {
        key: 'k',
        value: null,
        timestamp: 5,
        headers: [
          ['a', 'x'],
          ['b', 'y'],
        ],
      })
    })

    it('keeps the order of what was sent before the database was open', async () => {
      const own = embeddedBroker()
      const producer = own.producer<string, string>('t', { value: text })
      const sent = Array.from({ length: 10 }, (_, i) => producer.send({ value: `${i}` }))
      await Promise.all(sent)
      const values = (await take(own.consumer('t', { value: text }), 10)).map((r) => r.value)
      assert.deepEqual(
        values,
        Array.from({ length: 10 }, (_, i) => `${i}`),
      )
      await producer.close()
      await own[Symbol.asyncDispose]()
    })

    it('refuses a record that cannot be taken, and takes the others', async () => {
      await using producer = broker.producer<unknown, unknown>('t', { value: json })
      await producer.flush()
      const circular: Record<string, unknown> = {}
      circular['self'] = circular
      const good = producer.send({ value: 'good', partition: 0 })
      await assert.rejects(producer.send({ value: circular }), { code: 'DHAARA_SERIALIZE' })
      await assert.rejects(producer.send({ value: 1, timestamp: Number.NaN }), { code: 'DHAARA_TIMESTAMP' })
      await assert.rejects(producer.send({ value: 1, partition: 4 }), { code: 'DHAARA_OPTION', message: /has 4/ })
      await assert.rejects(producer.send({ value: 1, key: 5 }), { code: 'DHAARA_SERDE_MISSING' })
      await assert.rejects(producer.send({ value: 'x'.repeat(65 * 1024 * 1024) }), { code: 'DHAARA_RECORD_TOO_LARGE' })
      await good
      assert.deepEqual(stored('t', 0), ['"good"'])
    })

    it('tells all who wait when a commit fails, and goes on', async () => {
      await using producer = broker.producer<string, string>('t', { value: text })
      await producer.flush()
      const { begin } = lease.log
      const full = (): never => {
        throw new Error('No space left on device')
      }
      // The database is the only thing that fails here; what the producer calls is real.
      lease.log.begin = (batch) => {
        const transaction = begin.call(lease.log, batch)
        transaction.commit = full
        return transaction
      }
      const both = await Promise.allSettled([
        producer.send({ value: 'a', partition: 0 }),
        producer.send({ value: 'b', partition: 1 }),
      ])
      assert.deepEqual(
        both.map((r) => r.status),
        ['rejected', 'rejected'],
      )
      lease.log.begin = begin
      await producer.send({ value: 'c', partition: 0 })
      assert.deepEqual([stored('t', 0), stored('t', 1)], [['c'], []])
    })

    it('commits at once what has become large', async () => {
      await using producer = broker.producer<string, string>('t', { value: text })
      await producer.flush()
      const counter = countCommits()
      for (let i = 0; i < 40; i++) void producer.send({ value: 'x'.repeat(1024 * 1024) })
      assert.equal(counter.commits, 2)
    })

    it('flushes when it is closed, and takes nothing after', async () => {
      const producer = broker.producer<string, string>('t', { value: text })
      void producer.send({ value: 'last', partition: 0 })
      await producer.close()
      await producer.close()
      assert.deepEqual(stored('t', 0), ['last'])
      await assert.rejects(producer.send({ value: 'x' }), { code: 'DHAARA_APP_STATE' })
    })
  })

  describe('a consumer', () => {
    it('reads all partitions from the beginning, then waits for more', async () => {
      await using producer = broker.producer('t', keyed)
      for (let i = 0; i < 20; i++) void producer.send({ key: `${i}`, value: `${i}` })
      await producer.flush()
      const reading = broker.consumer('t', keyed)[Symbol.asyncIterator]()
      const first = await take(reading, 20)
      assert.deepEqual(
        first.map((r) => Number(r.value)).sort((a, b) => a - b),
        Array.from({ length: 20 }, (_, i) => i),
      )
      const next = reading.next()
      await producer.send({ key: 'k', value: 'later', timestamp: 9, headers: { h: 'v' } })
      assert.deepEqual(await next, {
        done: false,
        value: { key: 'k', value: 'later', timestamp: 9, headers: { h: 'v' } },
      })
      await reading.return!()
    })

    it('answers calls of next that overlap, in order', async () => {
      const own = embeddedBroker()
      const reading = own.consumer('t', keyed)[Symbol.asyncIterator]()
      const asked = [reading.next(), reading.next(), reading.next()]
      await using producer = own.producer('t', keyed)
      for (const value of ['a', 'b']) void producer.send({ key: 'k', value })
      await producer.flush()
      await producer.send({ key: 'k', value: 'c' })
      assert.deepEqual(
        (await Promise.all(asked)).map((r) => r.value?.value),
        ['a', 'b', 'c'],
      )
      await reading.return!()
    })

    it('from the end sees only what comes later', async () => {
      await using producer = broker.producer('t', keyed)
      await producer.send({ key: 'k', value: 'old' })
      const controller = new AbortController()
      const reading = broker.consumer('t', { ...keyed, from: 'end', signal: controller.signal })[Symbol.asyncIterator]()
      const next = reading.next()
      await (await openEmbedded(broker)).release()
      await producer.send({ key: 'k', value: 'new' })
      assert.equal((await next).value?.value, 'new')
      controller.abort()
    })

    it('ends quietly when its signal is aborted: before, while waiting, between records', async () => {
      await using producer = broker.producer('t', keyed)
      const read = async (signal: AbortSignal): Promise<string[]> => {
        const values: string[] = []
        for await (const record of broker.consumer('t', { ...keyed, signal })) {
          values.push(record.value!)
          if (record.value === 'stop') controller.abort()
        }
        return values
      }
      let controller = new AbortController()
      const waiting = read(controller.signal)
      await producer.send({ key: 'k', value: 'a' })
      controller.abort()
      await waiting
      assert.deepEqual(await read(controller.signal), [])
      controller = new AbortController()
      for (const value of ['stop', 'b']) void producer.send({ key: 'k', value })
      await producer.flush()
      assert.deepEqual(await read(controller.signal), ['a', 'stop'])
    })

    it('names the place of what it cannot decode', async () => {
      await using producer = broker.producer('t', keyed)
      await producer.send({ key: null, value: '{', partition: 3 } as never)
      const bad = broker.consumer('t', { value: json })[Symbol.asyncIterator]()
      await assert.rejects(bad.next(), {
        code: 'DHAARA_DESERIALIZE',
        message: /value at topic 't', partition 3, offset 0/,
      })
      assert.deepEqual(await bad.next(), { done: true, value: undefined })
    })

    it('refuses an unknown topic where none may be made', async () => {
      const strict = embeddedBroker({ createTopics: false })
      const reading = strict.consumer('t', keyed)[Symbol.asyncIterator]()
      await assert.rejects(reading.next(), { code: 'DHAARA_TOPIC_UNKNOWN' })
      await assert.rejects(strict.producer('t', keyed).send({ value: 'x' }), { code: 'DHAARA_TOPIC_UNKNOWN' })
      await strict[Symbol.asyncDispose]()
    })
  })

  describe('a group', () => {
    const fill = async (count: number): Promise<void> => {
      await using producer = broker.producer('t', keyed)
      for (let i = 0; i < count; i++) void producer.send({ key: `${i}`, value: `${i}` })
      await producer.flush()
    }
    const member = () => broker.consumer('t', { ...keyed, group: 'g' })[Symbol.asyncIterator]()

    it('goes on after the last record that was worked on', async () => {
      await fill(50)
      const first = member()
      const before = (await take(first, 20)).map((r) => r.value)
      await first.return!()
      const second = member()
      const after = (await take(second, 31)).map((r) => r.value)
      await second.return!()
      // The 20th was handed out, but nobody asked for the next one: it comes again.
      assert.equal(after.includes(before.at(-1)!), true)
      assert.deepEqual(new Set([...before, ...after]).size, 50)
    })

    it('shares the partitions, each record to one member', async () => {
      await fill(200)
      const [a, b] = [member(), member()]
      const seen: string[] = []
      const last = new Map<string, number>()
      const controller = new AbortController()
      const work = async (name: string, iterator: ReturnType<typeof member>): Promise<void> => {
        for (let result = await iterator.next(); !result.done; result = await iterator.next()) {
          seen.push(result.value.value!)
          last.set(name, (last.get(name) ?? 0) + 1)
          if (seen.length === 200) controller.abort()
        }
      }
      controller.signal.addEventListener('abort', () => void Promise.all([a.return!(), b.return!()]))
      await Promise.all([work('a', a), work('b', b)])
      assert.equal(new Set(seen).size, 200)
      assert.equal(seen.length, 200)
      assert.deepEqual([...last.keys()].sort(), ['a', 'b'])
    })

    it('hands over partitions between two records, and takes over those of one who left', async () => {
      await fill(40)
      const a = member()
      const seen = (await take(a, 10)).map((r) => r.value)
      const b = member()
      const waiting = b.next()
      await (await openEmbedded(broker)).release()
      // b is a member now, and waits: a lets go of what is b's when it asks for its next record.
      seen.push((await a.next()).value!.value)
      seen.push((await waiting).value!.value)
      seen.push(...(await take(b, 5)).map((r) => r.value))
      const left = (await a.next()).value!.value
      await a.return!()
      const rest = (await take(b, 40 - seen.length)).map((r) => r.value)
      await b.return!()
      assert.equal(rest.includes(left), true)
      assert.equal(new Set([...seen, ...rest]).size, 40)
    })

    it('knows each group by itself', async () => {
      await fill(3)
      assert.equal((await take(broker.consumer('t', { ...keyed, group: 'g1' }), 3)).length, 3)
      assert.equal((await take(broker.consumer('t', { ...keyed, group: 'g2' }), 3)).length, 3)
    })
  })

  describe('its directory', () => {
    it('is temporary without dir, stays while the broker does, and goes with it', async () => {
      const own = embeddedBroker()
      const producer = own.producer('t', keyed)
      await producer.send({ key: 'k', value: 'v' })
      await producer.close()
      const { path, release } = await openEmbedded(own)
      await release()
      assert.equal((await take(own.consumer('t', keyed), 1))[0]!.value, 'v')
      await own[Symbol.asyncDispose]()
      assert.equal(existsSync(path), false)
      await assert.rejects(openEmbedded(own), { code: 'DHAARA_APP_STATE' })
    })

    it('is let go of by the last who closes, and opened again when needed', async () => {
      const dir = directory()
      const own = embeddedBroker({ dir })
      const other = embeddedBroker({ dir })
      const [one, two] = await Promise.all([openEmbedded(own), openEmbedded(own)])
      assert.equal(one.backend, two.backend)
      await one.release()
      await one.release()
      await assert.rejects(openEmbedded(other), { code: 'DHAARA_STATE_LOCKED', message: /this process \(pid \d+\)/ })
      two.log.createTopic('t', 1)
      await two.release()
      const again = await openEmbedded(other)
      assert.deepEqual(again.log.topics(), [{ name: 't', partitions: 1 }])
      const blocked = openEmbedded(own)
      await assert.rejects(blocked, { code: 'DHAARA_STATE_LOCKED' })
      await again.release()
      await (await openEmbedded(own)).release()
    })

    it('makes topics with its defaults', async () => {
      const own = embeddedBroker({ dir: directory(), partitions: 3, retention: '2h' })
      const { log, ensureTopic, release } = await openEmbedded(own)
      log.createTopic('mine', 1)
      assert.deepEqual(ensureTopic('mine'), { name: 'mine', partitions: 1 })
      assert.deepEqual(ensureTopic('new'), { name: 'new', partitions: 3 })
      assert.deepEqual(log.config('new'), { retentionMs: 7_200_000 })
      await release()
    })

    it('is not what another broker has', async () => {
      await assert.rejects(openEmbedded({ kind: 'kafka' } as never), { code: 'DHAARA_OPTION', message: /kafka/ })
    })
  })

  it('refuses nonsense', () => {
    for (const partitions of [0, -1, 1.5])
      assert.throws(() => embeddedBroker({ partitions }), { code: 'DHAARA_OPTION' })
    for (const retention of [0, Number.NaN, '1w', 'x']) {
      assert.throws(() => embeddedBroker({ retention: retention as never }), { code: 'DHAARA_DURATION' })
    }
  })

  it('shows readers whole flushes only', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }), async (flushes) => {
        const topic = `whole${run++}`
        await using producer = broker.producer(topic, keyed)
        await producer.flush()
        const counts: number[] = []
        using _ = lease.log.onAppend(() => {
          let total = 0
          for (let p = 0; p < 4; p++) total += lease.log.endOffset(topic, p)
          counts.push(total)
        })
        let total = 0
        const expected: number[] = []
        for (const size of flushes) {
          for (let i = 0; i < size; i++) void producer.send({ key: `${i}`, value: 'v' })
          await producer.flush()
          expected.push((total += size))
        }
        assert.deepEqual(counts, expected)
      }),
      { numRuns: 20 },
    )
  })
})
