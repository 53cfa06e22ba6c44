import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { z } from 'zod'
import { CsvSplitter, fieldsOf, fieldText } from '../../../src/connectors/files/csv-text.ts'
import { csvSink, csvSource } from '../../../src/connectors/files/index.ts'
import { embeddedBroker, StreamsApp, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { World } from '../../engine/connect/worlds.ts'

const cell = fc.oneof(fc.constantFrom('', '"', 'a,b', 'two\nlines', '\r\n', ' x ', '""', ','), fc.string())

describe('CSV', () => {
  it('is read as it was written, whatever the fields hold and however the bytes come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 })),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (table, cuts) => {
          const bytes = Buffer.from(
            table.map((row) => `${row.map((field) => fieldText(field, ',')).join(',')}\n`).join(''),
          )
          const splitter = new CsvSplitter(',')
          const found: string[][] = []
          const take = (buf: Buffer, start: number, end: number) =>
            void found.push(fieldsOf(buf.toString('utf8', start, end), ','))
          let consumed = 0
          const count = (all: Buffer) => void (consumed += all.length)
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const end = at + (cuts[i % Math.max(1, cuts.length)] ?? 5)
            splitter.push(bytes.subarray(at, end))
            splitter.take(take, count)
            at = end
          }
          splitter.takeRest(take, count)
          assert.deepEqual(found, table)
          assert.equal(consumed, bytes.length)
        },
      ),
    )
  })

  it('that is malformed is refused', () => {
    for (const text of ['"a', '"a"b,c']) assert.throws(() => fieldsOf(text, ','), { code: 'DHAARA_DESERIALIZE' })
  })
})

describe('CSV files', () => {
  let dir = ''
  const path = (name: string) => join(dir, name)
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'dhaara-csv-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))
  const toEnd = async (topology: Topology, broker = embeddedBroker()) => {
    await using app = new StreamsApp({ applicationId: 'csv', topology, broker, checkpointInterval: 5 })
    await app.start()
    return await app.completed
  }

  it('are read with their types, go on behind what was read, and know their columns then', async () => {
    const broker = embeddedBroker()
    const world = new World()
    const build = (): Topology => {
      const builder = new StreamsBuilder()
      const types = { price: 'number', at: 'date', ok: 'boolean', big: 'bigint' } as const
      builder
        .source('trades', csvSource<{ at: Date }>({ path: path('in.csv'), types }), {
          timestamp: (t) => t.at.getTime(),
        })
        .sink(world.idempotent(), { name: 'out' })
      return builder.build()
    }
    writeFileSync(
      path('in.csv'),
      '\ufeffname,price,at,ok,big\n"A ""B"", C",1.5,1970-01-01T00:00:01Z,true,9007199254740993\n"two\nlines",,1970-01-01T00:00:02Z,,\n',
    )
    await toEnd(build(), broker)
    appendFileSync(path('in.csv'), 'last,3,1970-01-01T00:00:03Z,no,-1')
    await toEnd(build(), broker)
    assert.deepEqual(
      world.rows.map(({ value, timestamp }) => ({ ...(value as object), timestamp })),
      [
        { name: 'A "B", C', price: 1.5, at: new Date(1000), ok: true, big: 9007199254740993n, timestamp: 1000 },
        { name: 'two\nlines', price: null, at: new Date(2000), ok: null, big: null, timestamp: 2000 },
        { name: 'last', price: 3, at: new Date(3000), ok: false, big: -1n, timestamp: 3000 },
      ],
    )
    await broker[Symbol.asyncDispose]()
  })

  it('are written with a header, and each record once', async () => {
    writeFileSync(path('in.csv'), 'a;b\n1;x\n2;"y;z"\n3;\n')
    const broker = embeddedBroker()
    const builder = new StreamsBuilder()
    builder
      .source('rows', csvSource({ path: path('in.csv'), delimiter: ';' }))
      .sink(csvSink({ path: path('out.csv'), columns: ['b', 'a', 'none'] }), { name: 'out' })
    const topology = builder.build()
    await toEnd(topology, broker)
    appendFileSync(path('out.csv'), 'cut off')
    await toEnd(topology, broker)
    assert.equal(readFileSync(path('out.csv'), 'utf8'), 'b,a,none\nx,1,\ny;z,2,\n,3,\n')
    await broker[Symbol.asyncDispose]()
  })

  it('with bad rows, headers or options say what is wrong', async () => {
    const failing = async (text: string, options: object, code: string, source: object = {}) => {
      writeFileSync(path('in.csv'), text)
      const builder = new StreamsBuilder()
      builder.source('rows', csvSource({ path: path('in.csv'), ...options }), source).sink({ write() {} })
      await assert.rejects(toEnd(builder.build()), { code })
    }
    await failing('a,b\n1\n', {}, 'DHAARA_DESERIALIZE')
    await failing('a,b\n1,x\n', { types: { b: 'number' } }, 'DHAARA_DESERIALIZE')
    await failing('a,a\n1,x\n', {}, 'DHAARA_SOURCE_POSITION')
    await failing('a,b\n1,x\n', { schema: z.object({ a: z.number() }) }, 'DHAARA_SCHEMA')
    await failing('', { path: path('nowhere.csv') }, 'DHAARA_SOURCE_POSITION')
    assert.throws(() => csvSource({ path: 'x', header: false }), { code: 'DHAARA_OPTION' })
    assert.throws(() => csvSource({ path: 'x', types: { a: 'float' as never } }), { code: 'DHAARA_OPTION' })
    assert.throws(() => csvSource({ path: 'x', delimiter: ',,' }), /delimiter: found ",,"; expected one character/)
    assert.throws(() => csvSource({} as never), /found no path; expected text, or a list of texts/)
  })
})
