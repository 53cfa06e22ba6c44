import assert from 'node:assert/strict'
import fc from 'fast-check'
import { codecs } from '../../../../src/connectors/kafka/wire/compression.ts'
import { batchEnd, encodeBatch, setProducer } from '../../../../src/connectors/kafka/wire/record-batch.ts'
import { endOfSet, readRecordSet } from '../../../../src/connectors/kafka/wire/record-set.ts'
import { writeLong } from '../../../../src/connectors/kafka/wire/writer.ts'
import { type Row, rowAt, rowsOf, textRows, valuesOf } from '../rows.ts'

const plain = { transactional: false, codec: 'none' } as const

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }), { freq: 8 })
const row: fc.Arbitrary<Row> = fc.record({
  key: bytes,
  value: bytes,
  timestamp: fc.oneof(fc.nat(), fc.integer({ min: 0, max: 253402300799999 })),
  headers: fc.option(
    fc.array(fc.tuple(fc.string({ maxLength: 20 }), fc.uint8Array({ maxLength: 20 })), { minLength: 1, maxLength: 3 }),
    { nil: undefined, freq: 3 },
  ),
})

/** As it lies in the log from an offset on. */
function placed(batch: Buffer, offset: number): Buffer {
  const copy = Buffer.from(batch)
  writeLong(copy, offset, 0)
  setProducer(copy, -1, -1, -1)
  return copy
}

const plainRow = ({ key, value, timestamp, headers }: Row) => ({
  key: key && Buffer.from(key),
  value: value && Buffer.from(value),
  timestamp,
  headers: headers?.map(([name, content]) => [name, Buffer.from(content)]),
})

describe('record batches', () => {
  for (const codec of codecs) {
    it(`are read as they were written (${codec})`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.array(row, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 }),
          fc.nat(2 ** 40),
          (groups, start) => {
            let offset = start
            const set = Buffer.concat(
              groups.map((group) => {
                const batch = placed(encodeBatch(rowsOf(group), 0, group.length, { ...plain, codec }), offset)
                offset += group.length
                return batch
              }),
            )
            const read = readRecordSet({ topic: 't', partition: 3, offset: start, bytes: set })
            assert.ok(read)
            const expected = groups.flat().map((one, i) => ({ ...plainRow(one), offset: start + i }))
            const found = Array.from({ length: read.count }, (_, i) => rowAt(read, i)).map((one) => ({
              ...plainRow(one),
              offset: one.offset,
            }))
            assert.deepEqual(found, expected)
            assert.equal(read.nextOffset, offset)
            assert.equal(endOfSet(set, start), offset)
          },
        ),
        { numRuns: 60 },
      )
    })
  }

  it('are read from the middle of a batch on', () => {
    const set = placed(encodeBatch(textRows(['a', 'b', 'c']), 0, 3, plain), 10)
    const read = readRecordSet({ topic: 't', partition: 0, offset: 12, bytes: set })
    assert.deepEqual([read && valuesOf(read), read?.nextOffset], [['c'], 13])
  })

  it('leave a batch that was cut off for the next fetch', () => {
    const one = placed(encodeBatch(textRows(['a', 'b']), 0, 2, plain), 0)
    const two = placed(encodeBatch(textRows(['c']), 0, 1, plain), 2)
    const set = Buffer.concat([one, two]).subarray(0, one.length + two.length - 1)
    const read = readRecordSet({ topic: 't', partition: 0, offset: 0, bytes: set })
    assert.deepEqual([read && valuesOf(read), read?.nextOffset], [['a', 'b'], 2])
    assert.equal(readRecordSet({ topic: 't', partition: 0, offset: 0, bytes: one.subarray(0, 70) }), undefined)
  })

  it('refuse each flipped bit, naming the place', () => {
    const batch = placed(encodeBatch(textRows(['abc', 'def'], 'k'), 0, 2, plain), 5)
    fc.assert(
      fc.property(fc.nat(8 * (batch.length - 21) - 1), (bit) => {
        const damaged = Buffer.from(batch)
        const at = 21 + (bit >> 3)
        damaged[at] = (damaged[at] as number) ^ (1 << (bit & 7))
        assert.throws(
          () => readRecordSet({ topic: 'orders', partition: 2, offset: 5, bytes: damaged }),
          (error: Error & { code?: string }) =>
            error.code === 'DHAARA_KAFKA_CORRUPT' && /'orders', partition 2, offset 5/.test(error.message),
        )
      }),
    )
  })

  it('refuse other magic bytes, unknown codecs, lengths that do not fit', () => {
    const batch = placed(encodeBatch(textRows(['abc']), 0, 1, plain), 0)
    const old = Buffer.from(batch)
    old[16] = 1
    assert.throws(() => readRecordSet({ topic: 't', partition: 0, offset: 0, bytes: old }), /magic 1/)
    const odd = Buffer.from(batch)
    odd[22] = 7
    setProducer(odd, -1, -1, -1)
    assert.throws(() => readRecordSet({ topic: 't', partition: 0, offset: 0, bytes: odd }), /codec 7/)
    const long = Buffer.from(batch)
    long[61] = 0x7e
    setProducer(long, -1, -1, -1)
    assert.throws(() => readRecordSet({ topic: 't', partition: 0, offset: 0, bytes: long }), /a record of 63 bytes/)
  })

  it('give all records the append time where the topic says so', () => {
    const batch = placed(encodeBatch(textRows(['a', 'b']), 0, 2, plain), 0)
    batch[22] = (batch[22] as number) | 0x08
    writeLong(batch, 1_800_000_000_000, 35)
    setProducer(batch, -1, -1, -1)
    const read = readRecordSet({ topic: 't', partition: 0, offset: 0, bytes: batch })
    assert.deepEqual(Array.from(read?.timestamps ?? []), [1_800_000_000_000, 1_800_000_000_000])
  })

  it('are cut by size, one row at least', () => {
    const rows = textRows(['x'.repeat(1000), 'y'.repeat(1000), 'z'.repeat(5000)])
    assert.equal(batchEnd(rows, 0, 2500), 2)
    assert.equal(batchEnd(rows, 2, 2500), 3)
  })
})
