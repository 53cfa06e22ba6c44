import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow'
import { arrowSink, arrowSource } from '../../../src/connectors/arrow/index.ts'
import { embeddedBroker, type Source, StreamsApp, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { numbers, World } from '../../engine/connect/worlds.ts'

describe('Arrow IPC files', () => {
  let dir = ''
  const path = (name: string) => join(dir, name)
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'dhaara-arrow-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))
  const toEnd = async (topology: Topology, broker = embeddedBroker()) => {
    await using app = new StreamsApp({ applicationId: 'arrow', topology, broker, checkpointInterval: 5 })
    await app.start()
    return await app.completed
  }

  for (const kind of ['file', 'stream'] as const) {
    it(`are read as ${kind}s, keys and timestamps by the column`, async () => {
      const table = tableFromArrays({
        symbol: ['INFY', 'TCS', 'INFY'],
        price: Float64Array.of(1.5, 2, 3),
        at: Float64Array.of(10, 20, 30),
      })
      writeFileSync(path('in.arrow'), tableToIPC(table, kind))
      const world = new World()
      const build = (): Topology => {
        const builder = new StreamsBuilder()
        builder
          .source(
            'trades',
            arrowSource<{ symbol: string }, string>({ path: path('in.arrow'), timestamp: 'at', key: 'symbol' }),
          )
          .sink(world.idempotent(), { name: 'out' })
        return builder.build()
      }
      const broker = embeddedBroker()
      await toEnd(build(), broker)
      await toEnd(build(), broker)
      assert.deepEqual(world.rows, [
        { key: 'INFY', value: { symbol: 'INFY', price: 1.5, at: 10 }, timestamp: 10 },
        { key: 'TCS', value: { symbol: 'TCS', price: 2, at: 20 }, timestamp: 20 },
        { key: 'INFY', value: { symbol: 'INFY', price: 3, at: 30 }, timestamp: 30 },
      ])
      writeFileSync(path('in.arrow'), tableToIPC(table.slice(0, 0), kind))
      await broker[Symbol.asyncDispose]()
    })
  }

  it('are written column by column, appended to over restarts, and cut to what was committed', async () => {
    const broker = embeddedBroker()
    const columns = { n: 'int32', big: 'int64', half: 'float64', name: 'text', even: 'bool', at: 'timestamp' } as const
    const build = (count: number): Topology => {
      const builder = new StreamsBuilder()
      builder
        .source('numbers', numbers(count, 1))
        .mapValues((n) => ({
          n,
          big: BigInt(n),
          half: n / 2,
          name: n % 3 === 0 ? null : `no. ${n}`,
          even: n % 2 === 0,
          at: new Date(n),
        }))
        .sink(arrowSink({ path: path('out.arrows'), columns, batchRecords: 10 }), { name: 'out' })
      return builder.build()
    }
    await toEnd(build(25), broker)
    appendFileSync(path('out.arrows'), 'torn')
    await toEnd(build(40), broker)
    const table = tableFromIPC(readFileSync(path('out.arrows')))
    assert.equal(table.numRows, 40)
    assert.deepEqual(
      Array.from(table.getChild('n') ?? []),
      Array.from({ length: 40 }, (_, i) => i),
    )
    assert.deepEqual(table.get(7)?.toJSON(), { n: 7, big: 7n, half: 3.5, name: 'no. 7', even: false, at: 7 })
    assert.equal(table.get(6)?.['name'], null)
    await broker[Symbol.asyncDispose]()
  })

  it('say what does not fit', async () => {
    const failing = async (build: (builder: StreamsBuilder) => void, pattern: RegExp) => {
      const builder = new StreamsBuilder()
      build(builder)
      await assert.rejects(toEnd(builder.build()), pattern)
    }
    const one: Source<null, object, number> = {
      *read() {
        yield { value: { n: 'x' }, timestamp: 0, position: 1 }
      },
    } // prettier-ignore
    await failing(
      (b) => b.source('s', one).sink(arrowSink({ path: path('o'), columns: { n: 'int32' } })),
      /column 'n' of type Int32: found x/,
    )
    writeFileSync(path('no.arrow'), 'this is no Arrow file')
    await failing(
      (b) => b.source('s', arrowSource({ path: path('no.arrow') })).sink({ write() {} }),
      /could not be read as Arrow IPC/,
    )
    writeFileSync(path('in.arrow'), tableToIPC(tableFromArrays({ a: [1] })))
    await failing(
      (b) => b.source('s', arrowSource({ path: path('in.arrow'), key: 'b' })).sink({ write() {} }),
      /has no column 'b'; it has a/,
    )
    assert.throws(() => arrowSink({ path: 'x', columns: { n: 'float' as never } }), { code: 'DHAARA_OPTION' })
  })
})
