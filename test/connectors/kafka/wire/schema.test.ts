import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Reader } from '../../../../src/connectors/kafka/wire/reader.ts'
import {
  array,
  bool,
  type Field,
  int16,
  int32,
  int64,
  nullableArray,
  nullableBytes,
  nullableString,
  since,
  string,
  struct,
  tagged,
  uuid,
} from '../../../../src/connectors/kafka/wire/schema.ts'
import { Writer } from '../../../../src/connectors/kafka/wire/writer.ts'

const message = struct({
  short: int16,
  int: int32,
  long: int64,
  flag: bool,
  id: uuid,
  text: nullableString,
  data: nullableBytes,
  list: array(struct({ n: int32, inner: nullableArray(int16) })),
  later: since(2, int32, -7),
})

function roundTrip<T>(field: Field<T>, value: T, version: number): T {
  const to = new Writer(1)
  field.write(to, value, version)
  const from = new Reader(to.bytes())
  const read = field.read(from, version)
  assert.equal(from.at, from.buf.length)
  return read
}

const item = fc.record(
  { n: fc.integer(), inner: fc.option(fc.array(fc.integer({ min: -9, max: 9 }))) },
  { noNullPrototype: true },
)
const some = fc.record(
  {
    short: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
    int: fc.integer(),
    long: fc.maxSafeInteger(),
    flag: fc.boolean(),
    id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    text: fc.option(fc.string({ unit: 'binary', maxLength: 300 })),
    data: fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))),
    list: fc.array(item),
    later: fc.integer(),
  },
  { noNullPrototype: true },
)

describe('messages of the protocol', () => {
  it('are read as they were written, in versions that have a field and in those that do not', () => {
    fc.assert(
      fc.property(some, (value) => {
        assert.deepEqual(roundTrip(message, value, 2), value)
        assert.deepEqual(roundTrip(message, value, 1), { ...value, later: -7 })
      }),
    )
  })

  it('skip tagged fields that are not known', () => {
    const to = new Writer()
    to.i32(5)
    to.uvarint(2)
    for (const tag of [0, 900]) {
      to.uvarint(tag)
      to.uvarint(3)
      to.raw(Buffer.from('abc'))
    }
    assert.deepEqual(struct({ n: int32 }).read(new Reader(to.bytes()), 0), { n: 5 })
  })

  it('read tagged fields wherever they stand, and what is missing as it is without', () => {
    const own = struct({ n: int32, late: tagged(2, array(struct({ name: string })), []), early: tagged(0, int64, -1) })
    const value = { n: 5, late: [{ name: 'a' }, { name: 'b' }], early: 2 ** 40 }
    assert.deepEqual(roundTrip(own, value, 0), value)
    const other = struct({
      n: int32,
      between: tagged(1, string, ''),
      late: tagged(2, array(struct({ name: string })), []),
    })
    const to = new Writer()
    other.write(to, { n: 6, between: 'x'.repeat(300), late: [] }, 0)
    assert.deepEqual(own.read(new Reader(to.bytes()), 0), { n: 6, late: [], early: -1 })
    const bare = new Writer()
    struct({ n: int32 }).write(bare, { n: 7 }, 0)
    assert.deepEqual(own.read(new Reader(bare.bytes()), 0), { n: 7, late: [], early: -1 })
  })

  it('that are cut short are an error of the broker, and no exception of Node', () => {
    const to = new Writer()
    message.write(to, fc.sample(some, 1)[0] as never, 2)
    for (let length = 0; length < to.bytes().length; length++) {
      assert.throws(() => message.read(new Reader(to.bytes().subarray(0, length)), 2), {
        code: 'DHAARA_KAFKA_PROTOCOL',
      })
    }
  })
})
