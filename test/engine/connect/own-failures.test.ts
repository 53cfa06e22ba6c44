import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  DhaaraError,
  embeddedBroker,
  type Source,
  StreamsBuilder,
  type Topology,
  TopologyError,
} from '../../../src/index.ts'
import { numbers, run, valuesOf, World } from './worlds.ts'
import { upTo } from '../../up-to.ts'

const quick = { retry: { attempts: 50, backoff: 1, maxBackoff: 2 } }

describe("a source and a sink of the user's own that fail", () => {
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
})
