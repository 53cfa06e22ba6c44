import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { jsonLinesSink, jsonLinesSource } from '../../../src/connectors/files/index.ts'
import { embeddedBroker, StreamsApp, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { upTo } from '../../up-to.ts'

interface Reading {
  readonly n: number
}

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `${JSON.stringify({ n: from + i })}\n`).join('')

describe('files of JSON lines', () => {
  let dir = ''
  const path = (name: string) => join(dir, name)
  const read = (name = 'out.jsonl') =>
    readFileSync(path(name), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as Reading).n)
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'dhaara-lines-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  const copying = (options: object = {}, sink: object = {}, file = 'in.jsonl'): Topology => {
    const builder = new StreamsBuilder()
    builder
      .source('readings', jsonLinesSource<Reading>({ path: path(file), poll: 5, ...options }), {
        timestamp: ({ n }) => n,
      })
      .sink(jsonLinesSink({ path: path('out.jsonl'), sync: false, ...sink }), { name: 'out' })
    return builder.build()
  }
  const start = async (topology: Topology, broker = embeddedBroker()) => {
    const app = new StreamsApp({ applicationId: 'lines', topology, broker, checkpointInterval: 5 })
    await app.start()
    return app
  }
  const toEnd = async (topology: Topology, broker = embeddedBroker()) => {
    await using app = await start(topology, broker)
    return await app.completed
  }
  /** Until the output has so many rows. */
  const reached = async (n: number) => {
    for (let found = -1; found < n; await new Promise((resolve) => setTimeout(resolve, 5))) {
      try {
        found = read().length
      } catch {}
    }
  }

  it('are read to their end and written; a last line without a line break counts', async () => {
    writeFileSync(path('in.jsonl'), `${lines(0, 5000)}\r\n{"n":5000}`)
    await toEnd(copying())
    assert.deepEqual(read(), upTo(5001))
  })

  it('go on at the byte where the last checkpoint was', async () => {
    const broker = embeddedBroker()
    writeFileSync(path('in.jsonl'), lines(0, 100))
    await toEnd(copying(), broker)
    appendFileSync(path('in.jsonl'), lines(100, 250))
    const { recordsIn } = await toEnd(copying(), broker)
    assert.equal(recordsIn, 150)
    assert.deepEqual(read(), upTo(250))
    await broker[Symbol.asyncDispose]()
  })

  it('are followed as they grow, through rotation, also while nobody reads', async () => {
    const broker = embeddedBroker()
    writeFileSync(path('in.jsonl'), lines(0, 10))
    const app = await start(copying({ follow: true }), broker)
    await reached(10)
    appendFileSync(path('in.jsonl'), '{"n":1')
    appendFileSync(path('in.jsonl'), '0}\n')
    await reached(11)
    renameSync(path('in.jsonl'), path('in.jsonl.1'))
    writeFileSync(path('in.jsonl'), lines(11, 20))
    await reached(20)
    await app.close()
    appendFileSync(path('in.jsonl'), lines(20, 25))
    renameSync(path('in.jsonl.1'), path('in.jsonl.2'))
    renameSync(path('in.jsonl'), path('in.jsonl.1'))
    writeFileSync(path('in.jsonl'), lines(25, 40))
    const again = await start(copying({ follow: true }), broker)
    await reached(40)
    again.endInputs()
    await again.completed
    assert.deepEqual(read(), upTo(40))
    await broker[Symbol.asyncDispose]()
  })

  it('that are truncated while they are followed are read from their start', async () => {
    writeFileSync(path('in.jsonl'), lines(0, 10))
    const app = await start(copying({ follow: true }))
    await reached(10)
    truncateSync(path('in.jsonl'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    appendFileSync(path('in.jsonl'), lines(10, 12))
    await reached(12)
    await app.close()
    assert.deepEqual(read(), upTo(12))
  })

  it('whose position is gone stop the job, or are begun anew', async () => {
    const broker = embeddedBroker()
    writeFileSync(path('in.jsonl'), lines(0, 100))
    await toEnd(copying(), broker)
    writeFileSync(path('other'), lines(500, 600))
    renameSync(path('other'), path('in.jsonl'))
    await assert.rejects(toEnd(copying(), broker), { code: 'DHAARA_SOURCE_POSITION' })
    await toEnd(copying({ lost: 'beginning' }), broker)
    assert.deepEqual(read(), [...upTo(100), ...Array.from({ length: 100 }, (_, i) => 500 + i)])
    await broker[Symbol.asyncDispose]()
  })

  it('are unpacked', async () => {
    writeFileSync(path('in.jsonl.gz'), gzipSync(lines(0, 3000)))
    const broker = embeddedBroker()
    await toEnd(copying({}, {}, 'in.jsonl.gz'), broker)
    const { recordsIn } = await toEnd(copying({}, {}, 'in.jsonl.gz'), broker)
    assert.equal(recordsIn, 0)
    assert.deepEqual(read(), upTo(3000))
    await broker[Symbol.asyncDispose]()
  })

  it('with lines that are no JSON meet onInvalid', async () => {
    writeFileSync(path('in.jsonl'), '{"n":0}\nnonsense\n{"n":1}\n')
    await assert.rejects(toEnd(copying()), { code: 'DHAARA_DESERIALIZE', step: 'readings' })
    const builder = new StreamsBuilder()
    builder
      .source('readings', jsonLinesSource<Reading>({ path: path('in.jsonl') }), { onInvalid: 'skip' })
      .sink(jsonLinesSink({ path: path('out.jsonl'), existing: 'replace' }), { name: 'out' })
    await toEnd(builder.build())
    assert.deepEqual(read(), [0, 1])
  })

  it('that are there already are not touched unless that is asked for', async () => {
    writeFileSync(path('in.jsonl'), lines(0, 3))
    writeFileSync(path('out.jsonl'), '{"n":77}\n')
    await assert.rejects(toEnd(copying()), { code: 'DHAARA_SINK_FAILED' })
    await toEnd(copying({}, { existing: 'append' }))
    assert.deepEqual(read(), [77, 0, 1, 2])
    await toEnd(copying({}, { existing: 'replace' }))
    assert.deepEqual(read(), [0, 1, 2])
  })

  it('are cut to what was committed, and refused where they do not belong to the state', async () => {
    const broker = embeddedBroker()
    writeFileSync(path('in.jsonl'), lines(0, 100))
    await toEnd(copying(), broker)
    appendFileSync(path('out.jsonl'), 'half a li')
    appendFileSync(path('in.jsonl'), lines(100, 110))
    await toEnd(copying(), broker)
    assert.deepEqual(read(), upTo(110))
    truncateSync(path('out.jsonl'), 5)
    await assert.rejects(toEnd(copying(), broker), /DHAARA_SINK|somebody has cut it/)
    await broker[Symbol.asyncDispose]()
  })

  it('are renamed when they are large enough', async () => {
    writeFileSync(path('in.jsonl'), lines(0, 100))
    const broker = embeddedBroker()
    await toEnd(copying({}, { rollBytes: 500 }), broker)
    appendFileSync(path('in.jsonl'), lines(100, 105))
    await toEnd(copying({}, { rollBytes: 500 }), broker)
    assert.deepEqual(read(), [100, 101, 102, 103, 104])
    assert.ok(statSync(path('out-000000001.jsonl')).size >= 500)
    assert.deepEqual(read('out-000000001.jsonl'), upTo(100))
    await broker[Symbol.asyncDispose]()
  })
})
