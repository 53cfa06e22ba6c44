import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { arrowStream, CommittedRows, type Scan, type StoreLayout, StoreQuery } from '../../../src/engine/query/index.ts'
import { openRocks, type RocksBackend } from '../../../src/state/backends/index.ts'
import { packSeptets, packStamped } from '../../../src/state/codec/index.ts'
import { septetValues, statePrefix, typedKeys } from '../../../src/state/stores/index.ts'
import { anyValue } from '../../state/codec/any-value.ts'

const first = 8192
const layout: StoreLayout = {
  name: 'rows',
  sub: 0,
  keys: typedKeys,
  values: septetValues,
  shape: { kind: 'keyValue', ordered: true, show: (held) => held },
  history: undefined,
  copies: false,
  inParts: false,
  placeOf: () => undefined,
}

const field = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger(), fc.nat({ max: 50 })) },
  { weight: 6, arbitrary: fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })) },
  { weight: 3, arbitrary: fc.date({ noInvalidDate: false }) },
  fc.boolean(),
  fc.constantFrom(
    null,
    undefined,
    '\ufffd',
    '\ud800',
    'x'.repeat(40),
    'x'.repeat(5000),
    'é'.repeat(50),
    '🏏'.repeat(999),
  ),
  anyValue,
)
const likeFirst = fc.record({
  n: fc.double(),
  text: fc.string({ unit: 'grapheme' }),
  on: fc.boolean(),
  at: fc.date({ noInvalidDate: true }),
  any: fc.string(),
})
const value = fc.oneof(
  { weight: 5, arbitrary: likeFirst },
  { weight: 5, arbitrary: fc.record({ n: field, text: field, on: field, at: field, any: field }) },
  fc.record({ n: field, text: field, on: field, at: field, any: field, more: field }, { requiredKeys: ['text'] }),
  anyValue.filter((one) => one !== undefined),
)
const odd = fc.record({ value, old: fc.boolean(), key: fc.constantFrom('text', 'text', 'text', 'lone', 'number') })

describe('rows as Arrow, from how they lie', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-arrow-'))
  let db: RocksBackend
  before(async () => {
    db = await openRocks(dir)
  })
  after(async () => {
    await db.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const put = (rows: readonly (readonly [partition: number, key: unknown, bytes: Buffer])[]): void => {
    const batch = db.batch()
    for (const [partition, key, bytes] of rows)
      batch.put(Buffer.concat([statePrefix(1, partition), typedKeys.encode(key)]), bytes)
    batch.commit()
  }
  const scanOf = (partitions: readonly number[]): Scan<unknown, unknown> => {
    const rows = new CommittedRows({ reader: db, storeId: () => 1, partitionsOf: () => partitions })
    const watching = (): never => assert.fail('nobody watches')
    const nobody = { firstRow: async () => undefined, indexes: [], estimate: () => undefined, watching }
    return new StoreQuery(() => ({ layout, rows: () => rows, ...nobody })).all()
  }
  const shown = async (scan: Scan<unknown, unknown>): Promise<unknown[]> => {
    const parts: Uint8Array[] = []
    for await (const part of arrowStream(scan)) parts.push(part)
    const table = tableFromIPC(Buffer.concat(parts))
    return [table.schema.fields.map(String), ...Array.from(table, (row) => row?.toJSON())]
  }
  /** The same rows, told of as objects. */
  const plainly = (scan: Scan<unknown, unknown>): Scan<unknown, unknown> => ({
    [Symbol.asyncIterator]: () => scan[Symbol.asyncIterator](),
    toArray: () => scan.toArray(),
    cursor: undefined,
  })

  for (const partitions of [[0], [0, 1, 2]])
    it(`are those that they are by their values, of ${partitions.length} partitions`, async () => {
      const begin = Array.from({ length: first }, (_, i) => {
        const of = { n: i / 3, text: `t${i}`, on: i % 2 === 0, at: new Date(i), any: i % 2 === 0 ? i : `${i}` }
        return [i % partitions.length, `k${10_000 + i}`, packSeptets(of, i)] as const
      })
      await fc.assert(
        fc.asyncProperty(fc.array(odd, { minLength: 300, maxLength: 1500, size: 'max' }), async (rows) => {
          db.clearRange(Buffer.of(0), Buffer.alloc(9, 0xff))
          put(begin)
          const more = rows.map(({ value: held, old, key }, i) => {
            const name = key === 'lone' ? `l${50_000 + i}\ud800` : `l${50_000 + i}`
            const bytes = (old ? packStamped : packSeptets)(held, i)
            // below all texts: the columns begin with a few of these
            return [i % partitions.length, key === 'number' && i % 300 === 0 ? i : name, bytes] as const
          })
          put(more)
          assert.deepEqual(await shown(scanOf(partitions)), await shown(plainly(scanOf(partitions))))
        }),
        { numRuns: 6 },
      )
    }).timeout(60_000)

  it('are those of one moment, while others are written', async () => {
    db.clearRange(Buffer.of(0), Buffer.alloc(9, 0xff))
    const rows = 20_000
    const all = (n: number) =>
      Array.from({ length: rows }, (_, i) => [0, `k${10_000 + i}`, packSeptets({ n, s: 'x' }, 1)] as const)
    put(all(1))
    const parts: Uint8Array[] = []
    for await (const part of arrowStream(scanOf([0]))) {
      if (parts.push(part) === 1) put([...all(2), [0, 'l', packSeptets(new Uint8Array([255]), 1)]])
    }
    const table = tableFromIPC(Buffer.concat(parts))
    assert.equal(table.numRows, rows)
    assert.ok([...table.getChild('n')!].every((n) => n === 1))
  })

  it('are batches of a few megabytes where their texts are large', async () => {
    db.clearRange(Buffer.of(0), Buffer.alloc(9, 0xff))
    const texts = Array.from({ length: 9000 }, (_, i) => (i < 8500 ? 'small' : `${i}`.repeat(8000)))
    put(texts.map((text, i) => [0, `k${10_000 + i}`, packSeptets(i % 2 === 0 ? { text } : { text: { text } }, 1)]))
    const parts: Uint8Array[] = []
    for await (const part of arrowStream(scanOf([0]))) {
      assert.ok(part.length < 6_000_000)
      parts.push(part)
    }
    const found = tableFromIPC(Buffer.concat(parts)).getChild('text')!
    assert.deepEqual(
      Array.from(found, (text, i) =>
        i % 2 === 0 ? (JSON.parse(text as string) as string) : (JSON.parse(text as string) as { text: string }).text,
      ),
      texts,
    )
  })

  it('are let go of by who goes before their end', async () => {
    const stream = arrowStream(scanOf([0]))
    await stream.next()
    await stream.next()
    await stream.return()
    assert.deepEqual(await stream.next(), { done: true, value: undefined })
  })
})
