import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, stores, windows } from '../../src/index.ts'

const day = 86_400_000
const big = 10n ** 20n

describe('keys that JSON has no type for', () => {
  let app: StreamsApp
  const numbers = stores.keyValue('numbers', { key: serdes.bigint(), value: serdes.number() })
  const broker = embeddedBroker({ partitions: 2 })

  before(async () => {
    const builder = new StreamsBuilder()
    const events = builder.stream('events', { key: serdes.string(), value: serdes.number(), nullKeys: 'drop' })
    events.groupBy((n) => new Date(n * day)).count({ store: 'days' })
    events.groupBy((n) => BigInt(n) * big).count({ store: 'bigs' })
    events.groupBy((n) => [new Date(n * day), `n${n}`] as const).count({ store: 'pairs' })
    events.groupBy((n) => ({ at: new Date(n * day) })).count({ store: 'objects' })
    events.groupBy((n) => new Date(n * day).toISOString()).count({ store: 'texts' })
    events
      .groupBy((n) => new Date(n * day))
      .windowedBy(windows.unlimited())
      .count({ store: 'windows' })
    events.process((ctx) => ({ process: (n) => ctx.store(numbers).put(BigInt(n), n) }), { stores: [numbers] })
    app = new StreamsApp({
      applicationId: 'typed',
      topology: builder.build(),
      broker,
      checkpointInterval: '10ms',
      http: { port: 0 },
    })
    await app.start()
    await using producer = broker.producer('events', { key: serdes.string(), value: serdes.number() })
    for (const n of [0, 1, 2]) await producer.send({ key: `k${n}`, value: n })
    for (const name of ['days', 'bigs', 'pairs', 'objects', 'texts', 'windows', 'numbers'])
      while ((await app.store(name).count()) < 3) await setImmediate()
  })
  after(async () => {
    await app.close()
    await broker[Symbol.asyncDispose]()
  })

  const get = async (path: string, query: Record<string, unknown>): Promise<unknown> => {
    const params = Object.entries(query).map(([name, value]) => [name, JSON.stringify(value)] as [string, string])
    return (await fetch(`${app.httpUrl}/api/stores/${path}?${new URLSearchParams(params)}`)).json()
  }
  const iso = (n: number): string => new Date(n * day).toISOString()

  it('are found by the key that a row was shown with, whatever store it is in', async () => {
    for (const name of ['days', 'bigs', 'pairs', 'objects', 'texts', 'numbers']) {
      const { rows } = (await get(`${name}/rows`, {})) as { rows: readonly { key: unknown }[] }
      assert.equal(rows.length, 3, name)
      for (const row of rows) assert.deepEqual(await get(`${name}/row`, { key: row.key }), row, name)
      const several = await fetch(`${app.httpUrl}/api/stores/${name}/rows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ keys: rows.map(({ key }) => key) }),
      })
      const { values } = (await several.json()) as { values: unknown[] }
      assert.ok(
        values.every((value) => value !== null),
        name,
      )
    }
  })

  it('bound ranges, begin prefixes and have windows', async () => {
    const keysOf = async (path: string, query: Record<string, unknown>) =>
      ((await get(path, query)) as { rows: readonly { key: unknown }[] }).rows.map(({ key }) => key)
    assert.deepEqual(await keysOf('days/rows', { from: '1970-01-02' }), [iso(1), iso(2)])
    assert.deepEqual(await keysOf('days/rows', { from: 1, to: day }), [iso(1)])
    assert.deepEqual(await keysOf('bigs/rows', { to: String(big) }), [0, String(big)])
    assert.deepEqual(await keysOf('pairs/rows', { prefix: [iso(2)] }), [[iso(2), 'n2']])
    assert.deepEqual(await keysOf('windows/windows', { key: iso(1) }), [
      { key: iso(1), window: { start: 0, end: null } },
    ])
    assert.deepEqual(await keysOf('texts/rows', { from: '1970-01-02' }), [iso(1), iso(2)])
  })

  it('are watched', async () => {
    const ending = new AbortController()
    const { body } = await fetch(`${app.httpUrl}/api/stores/days/changes?key=${JSON.stringify(iso(1))}`, {
      signal: ending.signal,
    })
    let told = ''
    for await (const part of body as ReadableStream<Uint8Array>) {
      told += Buffer.from(part).toString()
      if (told.includes('data:')) break
    }
    assert.match(told, /data: \{"key":"1970-01-02T00:00:00.000Z","value":1,/)
    ending.abort()
  })
})
