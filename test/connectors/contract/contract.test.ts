import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow'
import pg from 'pg'
import { map, range } from 'rxjs'
import {
  arrowSink,
  arrowSource,
  csvSink,
  csvSource,
  jsonLinesSink,
  jsonLinesSource,
  postgresSink,
  webhookSource,
} from '../../../src/connectors/index.ts'
import { replayableSource } from '../../../src/connectors/rx/index.ts'
import { Journal } from '../../../src/connectors/webhook/journal.ts'
import type { Source } from '../../../src/index.ts'
import { startPostgres } from '../postgres/server.ts'
import { sinkContract } from './sink.ts'
import { sourceContract } from './source.ts'
import { upTo } from '../../up-to.ts'

const folder = (): string => mkdtempSync(join(tmpdir(), 'dhaara-contract-'))
const gone = (dir: string) => async () => rmSync(dir, { recursive: true })

sourceContract({
  name: 'a generator of one record at a time',
  async make(count) {
    const source: Source<null, number, number> = {
      async *read(position = 0) {
        for (let n = position; n < count; n++) yield { value: n, timestamp: n, position: n + 1 }
      },
    }
    return { source, attach: (builder) => builder.source('numbers', source) }
  },
})

for (const follow of [false, true]) {
  sourceContract({
    name: `a file of JSON lines${follow ? ' that is followed' : ''}`,
    async make(count) {
      const dir = folder()
      const path = join(dir, 'in.jsonl')
      writeFileSync(
        path,
        upTo(count)
          .map((n) => `${n}\n`)
          .join(''),
      )
      const source = jsonLinesSource<number>({ path, follow, poll: 5 })
      return { source, attach: (builder) => builder.source('numbers', source), dispose: gone(dir) }
    },
  })

  sourceContract({
    name: `a CSV file${follow ? ' that is followed' : ''}`,
    async make(count) {
      const dir = folder()
      const path = join(dir, 'in.csv')
      writeFileSync(
        path,
        `n,text\n${upTo(count)
          .map((n) => `${n},"a\nb"\n`)
          .join('')}`,
      )
      const source = csvSource<{ n: number }>({ path, follow, poll: 5, types: { n: 'number' } })
      return {
        source,
        attach: (builder) => builder.source('numbers', source).mapValues(({ n }) => n),
        dispose: gone(dir),
      }
    },
  })
}

sourceContract({
  name: 'an Arrow file',
  async make(count) {
    const dir = folder()
    const path = join(dir, 'in.arrow')
    writeFileSync(path, tableToIPC(tableFromArrays({ n: Float64Array.from(upTo(count)) }), 'file'))
    const source = arrowSource<{ n: number }>({ path, timestamp: 'n' })
    return {
      source,
      attach: (builder) => builder.source('numbers', source).mapValues(({ n }) => n),
      dispose: gone(dir),
    }
  },
})

sourceContract({
  name: 'a webhook',
  async make(count) {
    const dir = folder()
    const journal = await Journal.open(dir, 500)
    const meta = Buffer.from('{"timestamp":0,"headers":{}}')
    const length = Buffer.alloc(4)
    length.writeUInt32LE(meta.length)
    for (const n of upTo(count)) void journal.append([Buffer.concat([length, meta, Buffer.from(String(n))])])
    await journal.append([])
    await journal.close()
    const source = webhookSource<number>({ dir, port: 0 })
    return { source, attach: (builder) => builder.source('numbers', source), dispose: gone(dir) }
  },
})

sourceContract({
  name: 'an Observable that can be replayed',
  async make(count) {
    const source = replayableSource((from: number = 0) =>
      range(from, count - from).pipe(map((n) => ({ value: n, timestamp: n, position: n + 1 }))),
    )
    return { source, attach: (builder) => builder.source('numbers', source) }
  },
})

const lines = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean)

for (const sync of [true, false]) {
  sinkContract({
    name: `a file of JSON lines${sync ? '' : ', not forced to the disk'}`,
    async make() {
      const dir = folder()
      const path = join(dir, 'out.jsonl')
      const read = async () => lines(path).map((line) => (JSON.parse(line) as { n: number }).n)
      return { connector: jsonLinesSink({ path, sync }), read, dispose: gone(dir) }
    },
  })
}

sinkContract({
  name: 'a CSV file',
  async make() {
    const dir = folder()
    const path = join(dir, 'out.csv')
    return {
      connector: csvSink({ path, columns: ['n'] }),
      read: async () => lines(path).slice(1).map(Number),
      dispose: gone(dir),
    }
  },
})

sinkContract({
  name: 'an Arrow stream',
  async make() {
    const dir = folder()
    const path = join(dir, 'out.arrows')
    const read = async () => Array.from(tableFromIPC(readFileSync(path)).getChild('n') ?? [], Number)
    return { connector: arrowSink({ path, columns: { n: 'int32' }, sync: false }), read, dispose: gone(dir) }
  },
})

describe('with a PostgreSQL server', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let client: pg.Client
  before(async function () {
    this.timeout(120_000)
    server = await startPostgres()
    client = new pg.Client({ connectionString: server.url })
    await client.connect()
  })
  after(async () => {
    await client.end()
    await server[Symbol.asyncDispose]()
  })
  sinkContract({
    name: 'a table of PostgreSQL',
    async make() {
      await client.query('DROP TABLE IF EXISTS contract, dhaara_epochs')
      await client.query('CREATE TABLE contract (n integer, id serial)')
      const connector = postgresSink({ connection: server.url, table: 'contract', columns: ['n'] })
      const read = async () =>
        (await client.query('SELECT n FROM contract ORDER BY id')).rows.map(({ n }) => n as number)
      return { connector, read }
    },
  })
})
