import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type AppOptions,
  DhaaraError,
  embeddedBroker,
  type Sink,
  type Source,
  StreamsApp,
  StreamsBuilder,
  type Topology,
  TopologyError,
} from '../../../src/index.ts'
import { type Entry, numbers, World } from './worlds.ts'
import { upTo } from '../../up-to.ts'

const quick = { retry: { attempts: 50, backoff: 1, maxBackoff: 2 } }

async function run(topology: Topology, broker = embeddedBroker(), options: Partial<AppOptions> = {}) {
  await using app = new StreamsApp({ applicationId: 'own', topology, broker, ...options })
  await app.start()
  return await app.completed
}

const valuesOf = (rows: readonly Entry[]): unknown[] =>
  rows.map(({ value }) => value).sort((a, b) => Number(a) - Number(b))

describe("a source and a sink of the user's own", () => {
  it('carry records, keys and timestamps; the end of bounded sources ends the job', async () => {
    const world = new World()
    const builder = new StreamsBuilder()
    builder
      .source('numbers', numbers(1000))
      .filter((n) => n % 3 === 1)
      .mapValues((n) => ({ n, at: new Date(n) }))
      .sink(world.idempotent(), { name: 'out', batchRecords: 10 })
    const summary = await run(builder.build())
    assert.equal(summary.recordsIn, 1000)
    assert.equal(summary.recordsOut, 333)
    const rows = world.rows.sort((a, b) => a.timestamp - b.timestamp)
    assert.deepEqual(
      rows,
      upTo(1000)
        .filter((n) => n % 3 === 1)
        .map((n) => ({ key: `k${n % 5}`, value: { n, at: new Date(n) }, timestamp: n })),
    )
    assert.deepEqual([...world.tables.keys()].sort(), ['out-0', 'out-1'])
  })

  it('get batches of half a megabyte where records are long, each of which is a row of a changelog', async () => {
    const sizes: number[] = []
    const builder = new StreamsBuilder()
    builder
      .source('numbers', numbers(1500))
      .mapValues((n) => `${n}`.padEnd(3000))
      .sink({ write: (batch) => void sizes.push(batch.values.length) }, { name: 'out' })
    await run(builder.build(), embeddedBroker(), { checkpointInterval: '1h' })
    assert.equal(
      sizes.reduce((sum, n) => sum + n, 0),
      1500,
    )
    assert.ok(Math.max(...sizes) * 3000 < 600_000, `${sizes}`)
  })

  it('go on where the last checkpoint was, and read nothing twice', async () => {
    const world = new World()
    const asked: unknown[] = []
    const limited = (most: number): Topology => {
      const builder = new StreamsBuilder()
      const source: Source<string, number, number> = {
        async *read(position, ...rest) {
          asked.push(position)
          yield* numbers(most, 1).read(position, ...rest) as AsyncIterable<never>
        },
      }
      builder.source('numbers', source).sink(world.idempotent(), { name: 'out' })
      return builder.build()
    }
    const broker = embeddedBroker()
    await run(limited(100), broker)
    await run(limited(100), broker)
    await run(limited(250), broker)
    assert.deepEqual(asked, [undefined, 100, 100])
    assert.deepEqual(valuesOf(world.rows), upTo(250))
    await broker[Symbol.asyncDispose]()
  })

  it('show a timestamp function the record that it is asked about, also behind records that are left out', async () => {
    const world = new World()
    const source: Source<string, number, number> = {
      async *read(position = 0) {
        const records = upTo(40)
          .slice(position)
          .map((value) => ({
            key: value % 4 === 3 ? null : `k${value}`,
            value,
            timestamp: 7,
            ...(value % 2 === 0 ? { headers: { at: Buffer.from(String(value * 10)) } } : {}),
          }))
        yield { records, position: 40, caughtUp: true }
      },
    }
    const builder = new StreamsBuilder()
    const seen: [number, number, string | undefined][] = []
    builder
      .source('numbers', source, {
        nullKeys: 'fail',
        onInvalid: 'skip',
        timestamp: (value, _key, record) => {
          seen.push([record.offset, record.timestamp, record.headers.text('at')])
          return value
        },
      })
      .peek((value, _key, record) => assert.deepEqual([record.offset, record.timestamp], [value, value]))
      .sink(world.idempotent(), { name: 'out' })
    await run(builder.build())
    assert.deepEqual(
      seen,
      upTo(40).map((n) => [n, 7, n % 2 === 0 ? String(n * 10) : undefined]),
    )
    assert.deepEqual(
      valuesOf(world.rows),
      upTo(40).filter((n) => n % 4 !== 3),
    )
  })

  it('lose nothing and write nothing twice, whatever fails and however often the job dies', async function () {
    this.timeout(60_000)
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.integer({ min: 0, max: 400 }),
          batch: fc.integer({ min: 1, max: 60 }),
          batchRecords: fc.integer({ min: 1, max: 40 }),
          interval: fc.constantFrom(0, 1, 5),
          partitions: fc.integer({ min: 1, max: 3 }),
          deaths: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 4 }),
          fails: fc.array(fc.tuple(fc.nat(80), fc.constantFrom('before' as const, 'after' as const)), {
            maxLength: 12,
          }),
        }),
        async ({ count, batch, batchRecords, interval, partitions, deaths, fails }) => {
          const world = () => {
            let call = 0
            const failing = new Map(fails)
            return new World(() => failing.get(call++))
          }
          const [idempotent, twoPhase, counts] = [world(), world(), world()]
          const broker = embeddedBroker()
          for (const death of [...deaths, Number.POSITIVE_INFINITY]) {
            let seen = 0
            const builder = new StreamsBuilder()
            const stream = builder.source('numbers', numbers(count, partitions, batch)).peek(() => {
              if (++seen >= death) throw new Error('the process dies')
            })
            stream.sink(idempotent.idempotent(), { name: 'once', batchRecords, ...quick })
            stream.sink(twoPhase.twoPhase(), { name: 'phased', batchRecords, ...quick })
            stream
              .groupByKey()
              .count({ store: 'counts' })
              .toStream()
              .sink(counts.twoPhase(), { name: 'counts', ...quick })
            const died = await run(builder.build(), broker, { checkpointInterval: interval }).then(
              () => false,
              (error: unknown) => {
                assert.ok(error instanceof DhaaraError && error.code === 'DHAARA_USER_CODE', String(error))
                return true
              },
            )
            if (!died) break
          }
          assert.deepEqual(valuesOf(idempotent.rows), upTo(count))
          assert.deepEqual(valuesOf(twoPhase.rows), upTo(count))
          const expected = upTo(count).map((n) => `k${n % 5} ${Math.floor(n / 5) + 1}`)
          const found = counts.rows.map(({ key, value }) => `${key} ${value}`)
          // keys of several partitions come together
          assert.deepEqual(found.sort(), expected.sort())
          // one task's records are in order
          for (const { rows } of idempotent.tables.values()) {
            const values = rows.map(({ value }) => Number(value))
            assert.deepEqual(
              values,
              values.toSorted((a, b) => a - b),
            )
          }
          await broker[Symbol.asyncDispose]()
        },
      ),
      { numRuns: 15 },
    )
  })

  it('of two phases: what was decided is finished, what was not is rolled back and comes again', async () => {
    const world = new World()
    let commits = 0
    const sink = world.twoPhase()
    const build = (dies: boolean): Topology => {
      const builder = new StreamsBuilder()
      builder.source('numbers', numbers(10, 1)).sink(
        {
          ...sink,
          commit(epoch, task) {
            commits++
            if (dies) throw new DhaaraError('DHAARA_OPTION', 'the process dies between decision and commit')
            return sink.commit?.(epoch, task)
          },
        },
        { name: 'out', ...quick },
      )
      return builder.build()
    }
    const broker = embeddedBroker()
    await assert.rejects(run(build(true), broker), { code: 'DHAARA_SINK_FAILED' })
    assert.deepEqual(world.rows, [])
    await run(build(false), broker)
    assert.deepEqual(valuesOf(world.rows), upTo(10))
    assert.equal(commits, 1)
    await broker[Symbol.asyncDispose]()
  })

  it('refuse what cannot work, with what to do', async () => {
    const code = (fn: () => unknown, expected: string) =>
      assert.throws(fn, (error) => error instanceof DhaaraError && error.code === expected)
    const builder = new StreamsBuilder()
    code(() => builder.source('a', {} as never), 'DHAARA_OPTION')
    code(() => builder.source('a', { read: () => [], partitions: 0 }), 'DHAARA_OPTION')
    const stream = builder.source('b', numbers(1))
    code(() => stream.sink({} as never), 'DHAARA_OPTION')
    code(() => stream.sink({ write() {}, commit() {} }), 'DHAARA_SINK_RECOVER')
    const twice = new StreamsBuilder()
    twice.source('same', numbers(1)).sink({ write() {} })
    twice.source('same', numbers(1)).sink({ write() {} })
    assert.throws(
      () => twice.build(),
      (error) => error instanceof TopologyError && error.problems[0]?.code === 'DHAARA_NAME_TAKEN',
    )
  })

  it('tell what goes wrong by a code: positions, records, reading, writing', async () => {
    const failing = async (source: Source<null, number, number>, expected: string) => {
      const builder = new StreamsBuilder()
      builder.source('numbers', source).sink({ write() {} })
      await assert.rejects(run(builder.build()), { code: expected })
    }
    await failing(
      {
        read() {
          throw new DhaaraError('DHAARA_SOURCE_POSITION', 'the log was truncated')
        },
      },
      'DHAARA_SOURCE_POSITION',
    )
    await failing(
      {
        *read() {
          yield 5 as never
        },
      },
      'DHAARA_SOURCE_RECORD',
    ) // prettier-ignore
    await failing(
      {
        *read() {
          yield { values: [1, 2], keys: [null], position: 1 }
        },
      },
      'DHAARA_SOURCE_RECORD',
    ) // prettier-ignore
    let tries = 0
    await failing(
      {
        retry: { attempts: 3, backoff: 1 },
        read() {
          tries++
          throw new Error('the service is down')
        },
      },
      'DHAARA_SOURCE_FAILED',
    )
    assert.equal(tries, 3)
    const builder = new StreamsBuilder()
    let writes = 0
    builder.source('numbers', numbers(5, 1)).sink(
      {
        write() {
          writes++
          throw new Error('the database is down')
        },
      },
      { retry: { attempts: 4, backoff: 1 } },
    )
    await assert.rejects(run(builder.build()), { code: 'DHAARA_SINK_FAILED', step: 'numbers-sink-1' })
    assert.equal(writes, 4)
  })

  it('read on after a failure, where they were', async () => {
    const world = new World()
    const builder = new StreamsBuilder()
    let failures = 0
    const source: Source<string, number, number> = {
      retry: { attempts: 2, backoff: 1 },
      async *read(position = 0) {
        for (let n = position; n < 50; n++) {
          if (n % 10 === 5 && failures < n) {
            failures = n
            throw new Error('connection reset')
          }
          yield { value: n, timestamp: n, position: n + 1 }
        }
      },
    }
    builder.source('numbers', source).sink(world.idempotent())
    await run(builder.build())
    assert.deepEqual(valuesOf(world.rows), upTo(50))
  })

  it('hold back the source while the sink is slow', async () => {
    const builder = new StreamsBuilder()
    const gate = Promise.withResolvers<void>()
    let read = 0
    let written = 0
    const text = 'x'.repeat(1000)
    const source: Source<null, string, number> = {
      async *read(position = 0) {
        for (read = position; read < 20_000; read++) {
          if (read % 100 === 0) await new Promise(setImmediate)
          yield { value: text, timestamp: read, position: read + 1 }
        }
      },
    }
    builder.source('texts', source).sink(
      {
        async write(batch) {
          await gate.promise
          written += batch.length
        },
      },
      { maxPendingBytes: 1_000_000 },
    )
    await using app = new StreamsApp({ applicationId: 'slow', topology: builder.build(), checkpointInterval: 1 })
    await app.start()
    let before = -1
    // it has stopped by itself when nothing moves any more
    for (let same = 0; same < 20; same = read === before ? same + 1 : 0) {
      before = read
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.ok(read < 15_000, `${read} records were read with a sink that takes none`)
    gate.resolve()
    await app.completed
    assert.equal(written, 20_000)
  })

  it('that are gone from the topology do not take along what was not delivered', async () => {
    const broker = embeddedBroker()
    const build = (name: string, write: () => void): Topology => {
      const builder = new StreamsBuilder()
      builder.source('numbers', numbers(5, 1)).sink({ write }, { name, retry: { attempts: 1 } })
      return builder.build()
    }
    const down = (): void => {
      throw new Error('the database is down')
    }
    let written = 0
    const up = (): void => void written++
    await assert.rejects(run(build('old', down), broker), { code: 'DHAARA_SINK_FAILED' })
    await assert.rejects(run(build('new', up), broker), { code: 'DHAARA_STATE_INCOMPATIBLE', step: 'old' })
    await run(build('new', up), broker, { renames: { old: 'new' } })
    assert.equal(written, 1)
    await run(build('other', up), broker)
    await broker[Symbol.asyncDispose]()
  })

  it('are told what tasks had for them that are no more', async () => {
    const broker = embeddedBroker()
    const build = (partitions: number, sink: Sink<any, any>): Topology => {
      const builder = new StreamsBuilder()
      builder.source('numbers', numbers(30, partitions)).sink(sink, { name: 'out', retry: { attempts: 1 } })
      return builder.build()
    }
    const down: Sink<any, any> = {
      write({ values }) {
        throw new Error(`the database is down for ${values.length}`)
      },
    }
    await assert.rejects(run(build(3, down), broker), { code: 'DHAARA_SINK_FAILED' })
    const world = new World()
    await run(build(1, world.idempotent()), broker).catch(() => {})
    const tasks = [...world.tables.keys()].sort()
    assert.ok(tasks.includes('out-1') || tasks.includes('out-2'), String(tasks))
    await broker[Symbol.asyncDispose]()
  })

  it('tell the source what is in a checkpoint', async () => {
    const builder = new StreamsBuilder()
    const told: number[] = []
    const base = numbers(100, 1)
    builder.source('numbers', { ...base, commit: (position: number) => void told.push(position) }).sink({ write() {} })
    await run(builder.build())
    assert.equal(told.at(-1), 100)
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    )
  })
})
