import assert from 'node:assert/strict'
import { tableFromIPC } from 'apache-arrow'
import { arrowStream } from '../../../src/engine/query/index.ts'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../../src/index.ts'

const batch = 8192
const rows = 2 * batch + 500

interface Fields {
  readonly n: unknown
  readonly text: unknown
  readonly on: unknown
  readonly at?: unknown
  readonly more?: unknown
}

/** What has a way of its own into a column, at its edges, and what has not. */
const odd: readonly Fields[] = [
  { n: -0, text: '', on: true, at: null },
  { n: 127, text: 'x'.repeat(31), on: false, at: new Date(5) },
  { n: 128, text: 'x'.repeat(32), on: null, at: null },
  { n: 255.5, text: 'पुणे', on: true, at: null },
  { n: 65_535, text: '한국 🏏', on: true, at: null },
  { n: 65_536, text: 'y'.repeat(70_000), on: true, at: null },
  { n: 2 ** 32 - 1, text: '\u0000\u0001', on: true, at: null },
  { n: -32, text: 'a', on: true, at: null },
  { n: -33, text: 'a', on: true, at: null },
  { n: -(2 ** 31), text: 'a', on: true, at: null },
  { n: 2 ** 53, text: 'a', on: true, at: null },
  { n: null, text: null, on: null, at: null },
  { n: 'no number', text: 4, on: 'no', at: 7 },
  { text: 'another order', n: 1, on: true, at: null },
  { n: 1, text: 'a field less', on: true },
  { n: 1, text: 'a field more', on: true, at: null, more: { deep: [1] } },
  { n: Number.POSITIVE_INFINITY, text: 'a', on: true, at: null },
  { n: 1.7e12, text: 'z'.repeat(130), on: true, at: new Date(1.7e12) },
  { n: -1.7e12, text: 'ж'.repeat(100), on: true, at: new Date(-1) },
  { n: 2 ** 49, text: '\ufffd', on: undefined, at: new Date(2 ** 49) },
]
const plain: Fields = { n: 1, text: 'plain', on: true, at: new Date(1000) }
const valueOf = (i: number): Fields => (i < batch ? plain : (odd[i % (odd.length + 3)] ?? plain))
const textKey = (i: number): string => `k${String(i).padStart(6, '0')}${i % 1000 === 0 ? '\u0000\u0001é' : ''}`

const lone = String.fromCharCode(0xd800)

// keys of one partition come as texts, as long as they are
for (const { title, partitions, keyOf } of [
  { title: 'of two partitions', partitions: 2, keyOf: textKey },
  { title: 'of one partition', partitions: 1, keyOf: textKey },
  {
    title: 'of one partition, with a key that is no text',
    partitions: 1,
    keyOf: (i: number) => (i === 2 * batch ? `${textKey(i)}${lone}` : textKey(i)),
  },
])
  describe(`rows as Arrow, ${title}`, () => {
    const builder = new StreamsBuilder()
    const input = builder.stream('in', { key: serdes.string(), value: serdes.number(), nullKeys: 'drop' })
    input.groupByKey().aggregate(
      () => plain,
      (_, i) => valueOf(i),
      { store: 'rows' },
    )
    input.groupByKey().aggregate(
      () => 0,
      (_, i) => i / 2,
      { store: 'numbers' },
    )
    const broker = embeddedBroker({ partitions })
    const app = new StreamsApp({ applicationId: 'arrow', topology: builder.build(), broker, checkpointInterval: '5ms' })

    before(async function () {
      this.timeout(30_000)
      await app.start()
      await using producer = broker.producer('in', { key: serdes.string(), value: serdes.number() })
      for (let i = 0; i < rows; i++) void producer.send({ key: keyOf(i), value: i })
      await producer.flush()
      for (const store of ['numbers', 'rows'])
        while ((await app.store(store).count()) < rows) await new Promise((resolve) => setImmediate(resolve))
    })
    after(() => app.close())

    const table = async (store: string, options = {}) => {
      const parts: Uint8Array[] = []
      for await (const part of arrowStream(app.store(store).all(options))) parts.push(part)
      return tableFromIPC(Buffer.concat(parts))
    }

    it('are those that a scan gives, whatever they have that the first ones had not', async () => {
      const found = await table('rows')
      const expected = await app.store('rows').all().toArray()
      assert.equal(found.numRows, rows)
      assert.deepEqual(
        found.schema.fields.map(({ name, type }) => `${name}: ${type}`),
        ['key: Utf8', 'n: Float64', 'text: Utf8', 'on: Bool', 'at: Timestamp<MILLISECOND>', 'rest: Utf8'],
      )
      for (const [i, [key, value]] of expected.entries()) {
        const row = found.get(i)!.toJSON() as Record<string, unknown>
        const { rest, ...columns } = row
        const strays = rest === null ? {} : (JSON.parse(rest as string) as Record<string, unknown>)
        const shown = Object.fromEntries(
          Object.entries(columns).map(([name, cell]) => [name, name in strays ? strays[name] : cell]),
        )
        const { n, text, on, at, more } = value as Fields
        const time = at instanceof Date ? at.getTime() : (at ?? null)
        assert.deepEqual(shown, { key, n, text, on: on ?? null, at: time }, `row ${i}`)
        assert.deepEqual(strays['more'], more)
      }
    }).timeout(30_000)

    it('are a column where values are no objects', async () => {
      const found = await table('numbers')
      assert.deepEqual(
        found.schema.fields.map(({ name }) => name),
        ['key', 'value', 'rest'],
      )
      const expected = await app.store('numbers').all().toArray()
      assert.deepEqual(
        Array.from({ length: rows }, (_, i) => found.getChild('value')!.get(i)),
        expected.map(([, value]) => value),
      )
    }).timeout(30_000)

    it('follow limits, cursors and directions, within a batch and beyond', async () => {
      for (const options of [{ limit: 10 }, { limit: batch }, { limit: batch + 700 }, { limit: 300, reverse: true }]) {
        const scan = app.store('numbers').all(options)
        const keys = (await scan.toArray()).map(([key]) => key)
        const found = await table('numbers', options)
        assert.deepEqual([...found.getChild('key')!], keys)
        const next = await table('numbers', { ...options, cursor: scan.cursor })
        const others = await app
          .store('numbers')
          .all({ ...options, cursor: scan.cursor! })
          .toArray()
        assert.deepEqual(
          [...next.getChild('key')!],
          others.map(([key]) => key),
        )
      }
    }).timeout(30_000)

    it('are none where there are none', async () => {
      const found = await table('numbers', { limit: 0 })
      assert.equal(found.numRows, 0)
    })
  })
