import assert from 'node:assert/strict'
import {
  embeddedBroker,
  type Sink,
  type Source,
  StreamsApp,
  StreamsBuilder,
  type Topology,
} from '../../../src/index.ts'
import { numbers, run, valuesOf, World } from './worlds.ts'
import { upTo } from '../../up-to.ts'

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
