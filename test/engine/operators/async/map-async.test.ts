import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { type AsyncOptions, type DhaaraError, serdes, type StreamsBuilder, windows } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { numbers, topologyOf } from '../topologies.ts'

const out = { key: serdes.string(), value: serdes.number() }
type Options = AsyncOptions<string, number, number, number>

/** A service whose answers the test gives. */
class Service {
  readonly calls: { n: number; attempt: number; signal: AbortSignal; offset: number }[] = []
  private readonly open = new Map<number, { resolve(n: number): void; reject(error: unknown): void }[]>()

  readonly call = (
    n: number,
    _key: unknown,
    call: { attempt: number; signal: AbortSignal; record: { offset: number } },
  ) =>
    new Promise<number>((resolve, reject) => {
      this.calls.push({ n, attempt: call.attempt, signal: call.signal, offset: call.record.offset })
      const waiting = this.open.get(n) ?? []
      waiting.push({ resolve, reject })
      this.open.set(n, waiting)
    })

  get asked(): number[] {
    return this.calls.map(({ n }) => n)
  }

  answer(n: number): void {
    this.open
      .get(n)
      ?.shift()
      ?.resolve(n * 10)
  }

  fail(n: number, error: unknown = new Error('busy')): void {
    this.open.get(n)?.shift()?.reject(error)
  }
}

const calling = (service: Service, opts: Options = {}) =>
  topologyOf((builder) => builder.stream('in0', numbers).mapAsync(service.call, opts).to('out', out))

/** Lets promises that are settled be heard of. */
const heard = () => new Promise<void>((resolve) => setImmediate(resolve))

class Bench {
  readonly service = new Service()
  driver: TopologyTestDriver

  constructor(opts: Options = {}, make: (service: Service, opts: Options) => ReturnType<typeof calling> = calling) {
    this.driver = new TopologyTestDriver(make(this.service, opts), { startTime: 1000 })
  }

  send(n: number, key = 'a', timestamp = n): void {
    this.driver.input('in0').send(n, { key, timestamp })
  }

  /** What has come out once these were answered, in this order. */
  async answers(...ns: number[]): Promise<number[]> {
    for (const n of ns) this.service.answer(n)
    return this.results()
  }

  async results(): Promise<number[]> {
    for (let turn = 0; turn < 3; turn++) {
      await heard()
      this.driver.advanceWallClock(0)
    }
    return this.driver
      .output<string, number>('out')
      .readAll()
      .map(({ value }) => value)
  }
}

describe('mapAsync', () => {
  it('keeps the order of each key', async () => {
    const bench = new Bench()
    bench.send(1, 'a')
    bench.send(2, 'a')
    bench.send(3, 'b')
    assert.deepEqual(bench.service.asked, [1, 2, 3])
    assert.deepEqual(await bench.answers(2, 3), [30])
    assert.deepEqual(await bench.answers(1), [10, 20])
  })

  it('keeps the order of all, or none', async () => {
    const all = new Bench({ ordered: 'all' })
    const none = new Bench({ ordered: false })
    for (const bench of [all, none]) for (const n of [1, 2, 3]) bench.send(n, `k${n}`)
    assert.deepEqual(await all.answers(3, 2), [])
    assert.deepEqual(await all.answers(1), [10, 20, 30])
    assert.deepEqual(await none.answers(3, 2), [30, 20])
  })

  it('calls no more than it may at a time', async () => {
    const bench = new Bench({ concurrency: 2 })
    for (let n = 1; n <= 6; n++) bench.send(n)
    assert.deepEqual(bench.service.asked, [1, 2])
    assert.deepEqual(await bench.answers(1), [10])
    assert.deepEqual(bench.service.asked, [1, 2, 3])
    for (let n = 2; n <= 6; n++) await bench.answers(n)
    assert.deepEqual(bench.service.asked, [1, 2, 3, 4, 5, 6])
  })

  it('asks again after a crash for what had no answer', async () => {
    const bench = new Bench()
    bench.send(1)
    bench.send(2)
    await bench.answers(1)
    const snapshot = bench.driver.checkpoint()
    bench.send(3)
    bench.driver.crash()
    bench.driver.advanceWallClock(0)
    assert.deepEqual(bench.service.asked, [1, 2, 3, 2])
    assert.equal(bench.service.calls[1]?.signal.aborted, true)
    // the first call's answer comes to nobody
    assert.deepEqual(await bench.answers(2), [])
    assert.deepEqual(await bench.answers(2), [20])
    const other = new Service()
    const restored = new TopologyTestDriver(calling(other), { restore: snapshot })
    const done = restored.settled()
    assert.deepEqual(
      other.calls.map(({ n, offset, attempt }) => [n, offset, attempt]),
      [[2, 1, 1]],
    ) // prettier-ignore
    other.answer(2)
    await done
    const [row] = restored.output('out').readAll()
    assert.deepEqual([row?.key, row?.value, row?.timestamp], ['a', 20, 2])
  })

  it('tries again, with pauses that double', async () => {
    const bench = new Bench({ retry: { attempts: 4, backoff: 100, maxBackoff: 150, jitter: false } })
    bench.send(7)
    for (const pause of [100, 150, 150]) {
      bench.service.fail(7)
      await bench.results()
      const before = bench.service.calls.length
      bench.driver.advanceWallClock(pause - 1)
      assert.equal(bench.service.calls.length, before)
      bench.driver.advanceWallClock(1)
      assert.equal(bench.service.calls.length, before + 1)
    }
    assert.deepEqual(await bench.answers(7), [70])
    assert.deepEqual(
      bench.service.calls.map(({ attempt }) => attempt),
      [1, 2, 3, 4],
    ) // prettier-ignore
  })

  it('pauses for a random part of that, half at least', async () => {
    const bench = new Bench({ retry: { attempts: 2, backoff: 1000 } })
    bench.send(7)
    bench.service.fail(7)
    await bench.results()
    bench.driver.advanceWallClock(499)
    assert.equal(bench.service.calls.length, 1)
    bench.driver.advanceWallClock(501)
    assert.equal(bench.service.calls.length, 2)
  })

  it('does not try again what `when` rules out', async () => {
    const seen: DhaaraError[] = []
    const bench = new Bench({
      retry: { attempts: 5, when: (error) => (error as Error).message !== 'gone' },
      fallback: (error, n, key) => {
        seen.push(error)
        return n + key.length
      },
    })
    bench.send(7)
    bench.service.fail(7, new Error('gone'))
    assert.deepEqual(await bench.results(), [8])
    assert.equal(seen[0]?.code, 'DHAARA_ASYNC_FAILED')
    assert.match(
      String(seen[0]?.message),
      /step 'in0-mapAsync-1', at in0\[0\] offset 0: found a call that failed \(attempt 1\): Error: gone/,
    )
  })

  it('gives up on a call after its time, and aborts it', async () => {
    const bench = new Bench({ timeout: '2s', retry: { attempts: 2, backoff: 0 }, fallback: async () => -1 })
    bench.send(7)
    bench.driver.advanceWallClock(1999)
    assert.equal(bench.service.calls[0]?.signal.aborted, false)
    bench.driver.advanceWallClock(1)
    assert.equal(bench.service.calls[0]?.signal.aborted, true)
    bench.driver.advanceWallClock(0)
    assert.equal(bench.service.calls.length, 2)
    // the answer of the call that was given up on
    bench.service.answer(7)
    assert.deepEqual(await bench.results(), [])
    bench.driver.advanceWallClock(2000)
    assert.deepEqual(await bench.results(), [-1])
  })

  it('meets the table of its own stream without waiting for itself', async () => {
    const topology = topologyOf((builder) => {
      const stream = builder.stream('in0', numbers)
      stream
        .mapAsync((n) => Promise.resolve(n * 10))
        .join(stream.toTable(), (n, row) => n + row)
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .reduce((a, b) => a + b)
        .toStream()
        .to('out', { key: serdes.windowed(serdes.string()), value: serdes.number() })
    })
    const driver = new TopologyTestDriver(topology)
    for (const n of [1, 2, 11]) {
      driver.input('in0').send(n, { key: 'a', timestamp: n })
      await driver.settled()
    }
    const values = () =>
      driver
        .output('out')
        .readAll()
        .map(({ value }) => value) // prettier-ignore
    assert.deepEqual(values(), [33])
    driver.end()
    await driver.settled()
    assert.deepEqual(values(), [121])
  })

  it('hands what fails for good to the policy', async () => {
    const bench = new Bench()
    bench.send(7)
    const done = bench.driver.settled()
    bench.service.fail(7)
    await assert.rejects(done, { code: 'DHAARA_ASYNC_FAILED', step: 'in0-mapAsync-1', domain: 'external' })
  })

  it('takes a function that throws at once for a call that failed', async () => {
    const topology = topologyOf((builder) =>
      builder
        .stream('in0', numbers)
        .mapAsync(
          (n) => {
            if (n > 1) throw new Error('too many')
            return Promise.resolve(n)
          },
          { fallback: () => -1 },
        )
        .to('out', out),
    )
    const driver = new TopologyTestDriver(topology)
    for (const n of [1, 2]) driver.input('in0').send(n, { key: 'a', timestamp: n })
    await driver.settled()
    assert.deepEqual(
      driver
        .output('out')
        .readAll()
        .map(({ value }) => value),
      [1, -1],
    ) // prettier-ignore
  })

  it('opens its breaker, lets one call through after a while, and closes again', async () => {
    const codes: string[] = []
    const bench = new Bench({
      ordered: false,
      breaker: { failures: 2, share: 0.5, over: '10s', openFor: '30s' },
      fallback: (error) => {
        codes.push(error.code)
        return -1
      },
    })
    for (const n of [1, 2, 3]) bench.send(n)
    bench.service.fail(1)
    bench.service.fail(2)
    assert.deepEqual(await bench.results(), [-1, -1])
    bench.send(4)
    assert.deepEqual(await bench.results(), [-1])
    assert.deepEqual(bench.service.asked, [1, 2, 3])
    assert.deepEqual(codes, ['DHAARA_ASYNC_FAILED', 'DHAARA_ASYNC_FAILED', 'DHAARA_BREAKER_OPEN'])
    bench.driver.advanceWallClock(30_000)
    bench.send(5)
    bench.send(6)
    assert.deepEqual(bench.service.asked, [1, 2, 3, 5])
    assert.deepEqual(await bench.answers(5), [-1, 50])
    bench.send(7)
    assert.deepEqual(bench.service.asked, [1, 2, 3, 5, 7])
  })

  it('lets requests wait for a breaker where there is no fallback', async () => {
    const bench = new Bench({
      retry: { attempts: 3, backoff: 0, jitter: false },
      breaker: { failures: 1, share: 1, over: '10s', openFor: '30s' },
    })
    bench.send(1)
    bench.service.fail(1)
    await bench.results()
    bench.send(2)
    assert.deepEqual(bench.service.asked, [1])
    bench.driver.advanceWallClock(29_999)
    assert.deepEqual(bench.service.asked, [1])
    bench.driver.advanceWallClock(1)
    assert.deepEqual(bench.service.asked, [1, 1])
    assert.deepEqual(await bench.answers(1), [10])
    assert.deepEqual(await bench.answers(2), [20])
  })

  /** Counts by windows, behind calls or at once. */
  const counted = (asynchronous: boolean, ordered: 'key' | 'all' | false) => (builder: StreamsBuilder) => {
    const source = builder.stream('in0', numbers)
    const answered = asynchronous
      ? source.mapAsync((n) => new Promise<number>((resolve) => setImmediate(resolve, n)), { ordered, concurrency: 4 })
      : source
    answered
      .groupByKey()
      .windowedBy(windows.tumbling(10).grace(5))
      .emit('close')
      .lateTo('late', out)
      .count()
      .toStream()
      .to('out', { key: serdes.windowed(serdes.string()), value: serdes.number() })
  }

  const record = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    forth: fc.nat(8),
    back: fc.oneof(fc.constant(0), fc.nat(25)),
    pause: fc.constantFrom(false, false, false, 'settle', 'checkpoint', 'crash'),
  })

  for (const ordered of ['key', 'all', false] as const) {
    it(`makes nothing late that was not, ordered: ${ordered}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(record, { maxLength: 40 }), async (records) => {
          const at = new TopologyTestDriver(topologyOf(counted(false, ordered)))
          const driver = new TopologyTestDriver(topologyOf(counted(true, ordered)))
          let now = 30
          let since: [number, { key: string; timestamp: number }][] = []
          for (const [i, { key, forth, back, pause }] of records.entries()) {
            now += forth
            const opts = { key, timestamp: Math.max(0, now - back) }
            at.input('in0').send(i, opts)
            driver.input('in0').send(i, opts)
            since.push([i, opts])
            if (pause === 'settle') await driver.settled()
            if (pause === 'checkpoint') {
              driver.checkpoint()
              since = []
            }
            if (pause !== 'crash') continue
            driver.crash()
            for (const [value, again] of since) driver.input('in0').send(value, again)
          }
          at.end()
          driver.end()
          await driver.settled()
          assert.deepEqual(driver.output('out').readAll(), at.output('out').readAll())
          const lates = (one: TopologyTestDriver) =>
            one
              .output('late')
              .readAll()
              .map(({ value }) => value)
              .sort((a, b) => a - b)
          assert.deepEqual(lates(driver), lates(at))
        }),
        { numRuns: 40 },
      )
    })
  }
})
