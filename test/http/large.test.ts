import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'

const n = 40
const size = 1 << 20
const arrow = 'application/vnd.apache.arrow.stream'

describe('rows of a megabyte over HTTP', () => {
  let app: StreamsApp
  const broker = embeddedBroker({ partitions: 2 })
  const keys = Array.from({ length: n }, (_, i) => `k${String(i).padStart(2, '0')}`)

  before(async function () {
    this.timeout(60_000)
    const builder = new StreamsBuilder()
    const topic = { key: serdes.string(), value: serdes.string(), nullKeys: 'drop' } as const
    builder.stream('texts', topic).toTable({ store: 'texts' })
    app = new StreamsApp({ applicationId: 'large', topology: builder.build(), broker, http: { port: 0 } })
    await app.start()
    await using producer = broker.producer('texts', { key: serdes.string(), value: serdes.string() })
    for (const key of keys) await producer.send({ key, value: 'x'.repeat(size) })
    while ((await app.store('texts').count()) < n) await setImmediate()
  })
  after(async () => {
    await app.close()
    await broker[Symbol.asyncDispose]()
  })
  const url = (): string => `${app.httpUrl}/api/stores/texts/rows`

  it('come in pages that end earlier, one after the other', async () => {
    for (const accept of ['application/json', 'text/csv']) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const query = new URLSearchParams({ limit: '10000', ...(cursor === undefined ? {} : { cursor }) })
        const response = await fetch(`${url()}?${query}`, { headers: { accept } })
        const text = await response.text()
        assert.equal(response.status, 200)
        assert.ok(text.length < 20 * size, `a page of ${text.length}`)
        seen.push(...Array.from(text.matchAll(/\bk\d\d\b/g), ([key]) => key))
        cursor = response.headers.get('x-cursor') ?? /"cursor":"(.*)"/.exec(text.slice(-200))?.[1]
      } while (cursor !== undefined)
      assert.deepEqual(seen, keys)
    }
  }).timeout(60_000)

  it('come whole as lines and as a table', async () => {
    for (const accept of ['application/x-ndjson', arrow]) {
      const response = await fetch(url(), { headers: { accept } })
      const bytes = Buffer.from(await response.arrayBuffer())
      assert.ok(bytes.length > n * size)
      assert.equal(bytes.toString('latin1').match(/k\d\d/g)?.length, n)
    }
  }).timeout(60_000)

  it('are refused where more are asked for at once than lie in memory well', async () => {
    for (const isolation of ['committed', 'latest']) {
      const ask = async (wanted: readonly string[]) => {
        const response = await fetch(`${url()}?isolation=${isolation}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ keys: wanted }),
        })
        return { status: response.status, body: (await response.json()) as { values: string[]; detail: string } }
      }
      const some = await ask(keys.slice(0, 10))
      assert.deepEqual(
        some.body.values.map(({ length }) => length),
        keys.slice(0, 10).map(() => size),
      )
      // one row, many times
      for (const wanted of [keys, new Array<string>(10_000).fill('k01')]) {
        const { status, body } = await ask(wanted)
        assert.equal(status, 400)
        assert.match(body.detail, /the rows of these keys have more than 16 MiB; ask for fewer at a time/)
      }
    }
  }).timeout(60_000)
})
