import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'

const keys = [
  { prefix: 'a' },
  { prefix: { a: 1 } },
  { a: 1 },
  { key: 1, window: 5 },
  { key: 1, window: null },
  { key: 1, window: { start: 'x', end: 2 } },
  { key: 1, window: { start: 9e15, end: 9e15 } },
  { window: { start: 1, end: 2 } },
  'a',
  'ab',
]

describe('keys that look like something else', () => {
  let app: StreamsApp
  const broker = embeddedBroker({ partitions: 2 })

  before(async () => {
    const builder = new StreamsBuilder()
    builder
      .stream('numbers', { key: serdes.string(), value: serdes.number(), nullKeys: 'drop' })
      .groupBy((n) => keys[n] as string)
      .count({ store: 'odd' })
    app = new StreamsApp({
      applicationId: 'odd',
      topology: builder.build(),
      broker,
      checkpointInterval: '10ms',
      http: { port: 0 },
    })
    await app.start()
    await using producer = broker.producer('numbers', { key: serdes.string(), value: serdes.number() })
    for (const n of keys.keys()) await producer.send({ key: String(n), value: n })
    while ((await app.store('odd').count()) < keys.length) await setImmediate()
  })
  after(async () => {
    await app.close()
    await broker[Symbol.asyncDispose]()
  })

  it('are watched as the keys that they are, and no others with them', async () => {
    for (const key of keys) {
      const ending = new AbortController()
      const query = new URLSearchParams({ key: JSON.stringify(key) })
      const { body } = await fetch(`${app.httpUrl}/api/stores/odd/changes?${query}`, { signal: ending.signal })
      let told = ''
      for await (const part of body as ReadableStream<Uint8Array>) {
        told += Buffer.from(part).toString()
        if (told.includes('data: ')) break
      }
      ending.abort()
      const events = told.split('\n').filter((line) => line.startsWith('data: '))
      assert.deepEqual(
        events.map((line) => (JSON.parse(line.slice(6)) as { key: unknown }).key),
        [key],
      )
    }
  })

  it('are told in a table', async () => {
    const response = await fetch(`${app.httpUrl}/api/stores/odd/rows`, { headers: { accept: 'text/csv' } })
    assert.equal(response.status, 200)
    const [head, ...lines] = (await response.text()).trimEnd().split('\n')
    assert.equal(head, 'key,value')
    assert.equal(lines.length, keys.length)
    assert.ok(lines.includes('"{""key"":1,""window"":5}",1'))
  })
})
