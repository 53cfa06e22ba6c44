import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, stores, sum, windows } from '../../src/index.ts'

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
    events.groupBy((n) => ['7', 7n, new Date(7)][n] as string).count({ store: 'mixed' })
    const indexes = {
      day: (n: number) => new Date(n * day),
      big: (n: number) => BigInt(n) * big,
      bytes: (n: number) => Buffer.of(n) as never,
      pair: (n: number) => [new Date(n * day), `n${n}`] as const,
      text: (n: number) => new Date(n * day).toISOString(),
    }
    events.groupByKey().aggregate(
      sum((n) => n),
      { store: { name: 'indexed', indexes } },
    )
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
    for (const name of ['days', 'bigs', 'pairs', 'objects', 'texts', 'windows', 'numbers', 'mixed', 'indexed'])
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

  it('are not taken for others that are near them', async () => {
    for (const [name, key] of [
      ['days', 0.5],
      ['days', '1970-01-01T00:00:00.0009Z'],
      ['days', '1969-12-32'],
      ['days', '1970-02-30'],
      ['days', '1970-01-02T00:00:00.000'.concat(' Z')],
      ['bigs', 0.5],
      ['bigs', '0x0'],
    ] as const)
      assert.equal(((await get(`${name}/row`, { key })) as { status: number }).status, 404, `${name} ${key}`)
    for (const path of ['bigs/row?key=', 'bigs/rows?from=', 'indexed/by/big?value=']) {
      const rounded = await fetch(`${app.httpUrl}/api/stores/${path}100000000000000000001`)
      assert.equal(rounded.status, 400)
      assert.match(((await rounded.json()) as { detail: string }).detail, /does not keep; give it as a text, in quotes/)
    }
  })

  it('are each found where a store has several types of them: first as the text or number that they are', async () => {
    for (const [key, found] of [
      ['7', '7'],
      [7, 7],
      ['1970-01-01T00:00:00.007Z', '1970-01-01T00:00:00.007Z'],
    ])
      assert.deepEqual(await get('mixed/row', { key }), { key: found, value: 1 })
    assert.equal(((await get('mixed/row', { key: '8' })) as { status: number }).status, 404)
    const several = await fetch(`${app.httpUrl}/api/stores/mixed/rows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ keys: ['1970-01-01T00:00:00.007Z', 8, 7, 'x', '7', [7]] }),
    })
    assert.deepEqual(await several.json(), { values: [1, null, 1, null, 1, null] })
  })

  it('are what an index is asked by', async () => {
    for (const n of [0, 1, 2]) {
      const row = { key: `k${n}`, value: n }
      for (const [index, value] of [
        ['day', iso(n)],
        ['day', n * day],
        ['big', String(BigInt(n) * big)],
        ['bytes', { base64: Buffer.of(n).toString('base64') }],
        ['pair', [iso(n), `n${n}`]],
        ['text', iso(n)],
      ] as const)
        assert.deepEqual(await get(`indexed/by/${index}`, { value }), { rows: [row] }, index)
    }
    assert.deepEqual(await get('indexed/by/text', { value: 0 }), { rows: [] })
    const none = (await get('indexed/by/hour', { value: 0 })) as { status: number; detail: string }
    assert.equal(none.status, 400)
    assert.match(none.detail, /it has day, big, bytes, pair, text/)
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
