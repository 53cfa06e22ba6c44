import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type PostgresSinkOptions, postgresSink } from '../../../src/connectors/postgres/index.ts'
import { embeddedBroker, type Source, StreamsApp, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { numbers } from '../../engine/connect/worlds.ts'
import { type PostgresServer, startPostgres } from './server.ts'
import { upTo } from '../../up-to.ts'

const retry = { attempts: 200, backoff: 10, maxBackoff: 50 }

describe('the PostgreSQL sink', () => {
  let server: PostgresServer
  let client: pg.Client
  before(async function () {
    this.timeout(120_000)
    server = await startPostgres()
    await connect()
  })
  after(async () => {
    await client?.end().catch(() => {})
    await server?.[Symbol.asyncDispose]()
  })
  const connect = async () => {
    client = new pg.Client({ connectionString: server.url })
    client.on('error', () => {})
    await client.connect()
  }
  const rows = async (sql: string) => (await client.query({ text: sql, rowMode: 'array' })).rows
  const into = (options: Omit<PostgresSinkOptions, 'connection'>) =>
    postgresSink({ connection: server.url, ...options })
  const toEnd = async (topology: Topology, broker = embeddedBroker()) => {
    await using app = new StreamsApp({ applicationId: 'pg', topology, broker, checkpointInterval: 5 })
    await app.start()
    return await app.completed
  }
  const of = <V>(values: readonly V[]): Source<string, V, number> => ({
    *read(position = 0) {
      for (let i = position; i < values.length; i++)
        yield { value: values[i] as V, key: `k${i}`, timestamp: i, position: i + 1 }
    },
  })

  it('upserts by key and deletes where values are null, of every type', async () => {
    await client.query(
      `CREATE TABLE kinds (id text PRIMARY KEY, n numeric, big bigint, at timestamptz, tags text[], doc jsonb, raw bytea, ok boolean)`,
    )
    const builder = new StreamsBuilder()
    const values = [
      {
        id: 'a',
        n: 1.5,
        big: 2n ** 60n,
        at: new Date(0),
        tags: ['x', 'y"z'],
        doc: { deep: [1, null] },
        raw: Buffer.from([0, 255]),
        ok: true,
      },
      { id: 'b', n: 2 },
      { id: 'a', n: 3, doc: 'text' },
      { id: 'c', n: Number.NaN },
    ]
    builder
      .source('values', of<object>(values))
      .sink(into({ table: 'kinds', key: 'id', batchRecords: 2 }), { name: 'kinds' })
    builder
      .source('gone', {
        *read() {
          yield { value: 'b', timestamp: 0, position: 1 }
        },
      } as Source<null, string, number>) // prettier-ignore
      .map((id) => [id, null] as const)
      .sink(into({ table: 'kinds', key: 'id' }), { name: 'deletions' })
    await toEnd(builder.build())
    assert.deepEqual(await rows(`SELECT id, n::text, big, tags, doc FROM kinds WHERE id <> 'b' ORDER BY id`), [
      ['a', '3', null, null, 'text'],
      ['c', 'NaN', null, null, null],
    ])
    await client.query('TRUNCATE kinds')
    const again = new StreamsBuilder()
    again.source('values', of<object>(values.slice(0, 1))).sink(into({ table: 'kinds', key: 'id' }), { name: 'kinds' })
    await toEnd(again.build())
    assert.deepEqual(await rows('SELECT n::text, big, at, tags, doc, raw, ok FROM kinds'), [
      ['1.5', String(2n ** 60n), new Date(0), ['x', 'y"z'], { deep: [1, null] }, Buffer.from([0, 255]), true],
    ])
  })

  it('goes on after the server has died, and writes nothing twice', async () => {
    await client.query('CREATE TABLE once (n integer NOT NULL, task text)')
    const broker = embeddedBroker()
    const builder = new StreamsBuilder()
    builder
      .source('numbers', numbers(3000, 2, 50))
      .sink(into({ table: 'once', row: (n: number) => ({ n }), batchRecords: 100 }), { name: 'once', retry })
    await using app = new StreamsApp({ applicationId: 'pg', topology: builder.build(), broker, checkpointInterval: 1 })
    await app.start()
    for (let count = 0; count < 200; ) count = Number((await rows('SELECT count(*) FROM once'))[0]?.[0])
    await server.kill()
    await server.start()
    await connect()
    await app.completed
    assert.deepEqual((await rows('SELECT n FROM once ORDER BY n')).flat(), upTo(3000))
    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)

  it('notes in one table which batches it has, and begins anew with a job that does', async () => {
    const found = await rows(
      `SELECT application, sink, task, epoch::int > 0 FROM dhaara_epochs WHERE sink = 'once' ORDER BY task`,
    )
    assert.deepEqual(found, [
      ['pg', 'once', 0, true],
      ['pg', 'once', 1, true],
    ]) // prettier-ignore
    await client.query('CREATE TABLE anew (n integer PRIMARY KEY)')
    for (const runs of [1, 2]) {
      const builder = new StreamsBuilder()
      const sink = into({ table: 'anew', key: 'n', row: (n: number) => ({ n: n * runs }) })
      builder.source('numbers', numbers(10, 1)).sink(sink, { name: 'anew' })
      await toEnd(builder.build())
    }
    assert.deepEqual(
      (await rows('SELECT n FROM anew ORDER BY n')).flat(),
      [...new Set([...upTo(10), ...upTo(10).map((n) => 2 * n)])].sort((a, b) => a - b),
    )
  })

  it('refuses what the table does not take, at once', async () => {
    await client.query('CREATE TABLE strict (n integer NOT NULL CHECK (n < 5))')
    const failing = async (options: Omit<PostgresSinkOptions, 'connection'>, expected: RegExp) => {
      const builder = new StreamsBuilder()
      builder
        .source('numbers', numbers(10, 1))
        .sink(into(options), { name: 'strict', retry: { attempts: 3, backoff: 1 } })
      await assert.rejects(
        toEnd(builder.build()),
        (error: Error) => expected.test(error.message) || assert.fail(error.message),
      )
    }
    await failing({ table: 'strict', row: (n: number) => ({ n }) }, /strict_n_check.*23514/)
    await failing({ table: 'nowhere', row: (n: number) => ({ n }) }, /"nowhere" does not exist/)
    await failing({ table: 'strict', key: 'id' }, /strict has no column id; it has n/)
    await failing({ table: 'strict' }, /expected an object with a property a column/)
    assert.deepEqual(await rows('SELECT * FROM strict'), [])
    assert.throws(
      () => into({ table: 'strict', colums: 'n' } as never),
      /found the option colums; it has connection, table/,
    )
  })

  it('is exact when the process is killed, again and again', async () => {
    await client.query('CREATE TABLE killed (n integer NOT NULL, total bigint NOT NULL)')
    const dir = mkdtempSync(join(tmpdir(), 'dhaara-pg-'))
    const count = 1500
    for (let kills = 0; ; ) {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), dir, server.url, String(count)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const before = Number((await rows('SELECT count(*) FROM killed'))[0]?.[0])
      const ended = once(child, 'exit')
      let over = false
      void ended.then(() => (over = true))
      while (!over && kills < 3) {
        const now = Number((await rows('SELECT count(*) FROM killed'))[0]?.[0])
        if (now < before + 150) continue
        child.kill('SIGKILL')
        kills++
        break
      }
      const [code] = await ended
      if (code === 0) break
      assert.equal(code, null)
    }
    const found = await rows('SELECT n, total::int FROM killed ORDER BY n, total')
    assert.deepEqual(
      found,
      upTo(count).map((n) => [n, Math.floor(n / 10) + 1]),
    ) // prettier-ignore
    rmSync(dir, { recursive: true })
  }).timeout(120_000)
})
