import assert from 'node:assert/strict'
import fc from 'fast-check'
import { z } from 'zod'
import { isFast, type OrderedSerde, type Serde, serdes } from '../../../src/dsl/serdes/index.ts'
import { compareKeys, encodeKey } from '../../../src/state/codec/index.ts'

const topic = 'orders'
const hex = <T>(serde: Serde<T>, value: T): string => Buffer.from(serde.serialize(value, topic)).toString('hex')
const read = <T>(serde: Serde<T>, bytes: string): T => serde.deserialize(Buffer.from(bytes, 'hex'), topic)

describe('serdes', () => {
  it('have the bytes of Java', () => {
    const vectors: [Serde<unknown>, unknown, string][] = [
      // StringSerializer
      [serdes.string() as Serde<unknown>, '', ''],
      [serdes.string() as Serde<unknown>, 'héllo ₹ 😀', '68c3a96c6c6f20e282b920f09f9880'],
      // DoubleSerializer
      [serdes.number() as Serde<unknown>, 1, '3ff0000000000000'],
      [serdes.number() as Serde<unknown>, -2.5, 'c004000000000000'],
      [serdes.number() as Serde<unknown>, 0.1, '3fb999999999999a'],
      [serdes.number() as Serde<unknown>, Number.NaN, '7ff8000000000000'],
      // LongSerializer
      [serdes.bigint() as Serde<unknown>, 1n, '0000000000000001'],
      [serdes.bigint() as Serde<unknown>, -2n, 'fffffffffffffffe'],
      [serdes.bigint() as Serde<unknown>, 2n ** 63n - 1n, '7fffffffffffffff'],
      [serdes.date() as Serde<unknown>, new Date('2024-01-02T03:04:05.678Z'), '0000018cc820db2e'],
      [serdes.date() as Serde<unknown>, new Date(-1), 'ffffffffffffffff'],
      // BooleanSerializer
      [serdes.boolean() as Serde<unknown>, true, '01'],
      [serdes.boolean() as Serde<unknown>, false, '00'],
      // SessionWindowedSerializer over StringSerializer: key, end, start
      [
        serdes.windowed(serdes.string()) as Serde<unknown>,
        { key: 'k', window: { start: 1, end: 258 } },
        '6b00000000000001020000000000000001',
      ],
      // ByteArraySerializer
      [serdes.bytes() as Serde<unknown>, new Uint8Array([0, 255]), '00ff'],
      [serdes.json() as Serde<unknown>, { a: [1, 'é'] }, '7b2261223a5b312c22c3a9225d7d'],
      [serdes.msgpack() as Serde<unknown>, { a: 1 }, '81a16101'],
    ]
    for (const [serde, value, bytes] of vectors) {
      assert.equal(hex(serde, value), bytes)
      const back = read(serde, bytes)
      assert.deepEqual(back instanceof Uint8Array ? [...back] : back, value instanceof Uint8Array ? [...value] : value)
    }
  })

  it('give back what they were given, also out of a larger buffer', () => {
    const cases: [Serde<unknown>, fc.Arbitrary<unknown>][] = [
      [serdes.string() as Serde<unknown>, fc.string({ unit: 'grapheme' })],
      [serdes.number() as Serde<unknown>, fc.double()],
      [serdes.bigint() as Serde<unknown>, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
      [serdes.boolean() as Serde<unknown>, fc.boolean()],
      [serdes.date() as Serde<unknown>, fc.date({ noInvalidDate: true })],
      [serdes.bytes() as Serde<unknown>, fc.uint8Array()],
      [serdes.json() as Serde<unknown>, fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))],
      [
        serdes.msgpack() as Serde<unknown>,
        fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true, withNullPrototype: false }),
      ],
      [
        serdes.windowed(serdes.tuple(serdes.string(), serdes.number())) as Serde<unknown>,
        fc.record(
          {
            key: fc.tuple(fc.string(), fc.integer()),
            window: fc.record(
              {
                start: fc.maxSafeInteger(),
                end: fc.oneof(fc.maxSafeInteger(), fc.constant(Number.POSITIVE_INFINITY)),
              },
              { noNullPrototype: true },
            ),
          },
          { noNullPrototype: true },
        ),
      ],
    ]
    for (const [serde, arbitrary] of cases) {
      fc.assert(
        fc.property(arbitrary, fc.uint8Array({ maxLength: 4 }), (value, noise) => {
          const bytes = serde.serialize(value, topic)
          assert.deepStrictEqual(serde.deserialize(bytes, topic), value)
          assert.ok(isFast(serde))
          const larger = Buffer.concat([noise, bytes, noise])
          const inside = serde.read(larger, noise.length, noise.length + bytes.length, topic)
          larger.fill(0)
          assert.deepStrictEqual(inside, value)
        }),
      )
    }
  })

  it('that are ordered say so, and their keys order in the key codec', () => {
    const { string, number, bigint, boolean, date, tuple, json, bytes } = serdes
    assert.deepEqual(
      [string(), number(), boolean(), date(), tuple(string())].map((s) => s.ordered),
      [true, true, true, true, true],
    )
    assert.deepEqual(
      [bigint(), json(), bytes(), serdes.windowed(string())].map((s) => s.ordered),
      [false, false, false, false],
    )
    for (const serde of [string(), number(), boolean(), date(), tuple(string(), tuple(number()))]) {
      assert.ok(isFast(serde as Serde<unknown>) && (serde as { typedKey?: boolean }).typedKey)
    }
    assert.equal((bigint() as { typedKey?: boolean }).typedKey, false)
  })

  it('order strings, booleans and what is not negative by their topic bytes as well', () => {
    const inOrder = <T>(serde: Serde<T>, values: fc.Arbitrary<T>): void =>
      fc.assert(
        fc.property(values, values, (a, b) => {
          const order = Buffer.compare(serde.serialize(a, topic), serde.serialize(b, topic))
          assert.equal(Math.sign(order), Math.sign(compareKeys(a, b)))
        }),
      )
    inOrder(serdes.string(), fc.string({ unit: 'grapheme' }))
    inOrder(serdes.boolean(), fc.boolean())
    inOrder(
      serdes.number(),
      fc.double({ min: 0, noNaN: true }).map((n) => n + 0),
    )
    inOrder(serdes.date(), fc.date({ min: new Date(0), noInvalidDate: true }))
    inOrder(serdes.tuple(serdes.number(), serdes.string()), fc.tuple(fc.double({ noNaN: true }), fc.string()))
  })

  it('of tuples write the key codec, parts of other ordered serdes as bytes', () => {
    const reversed: OrderedSerde<number> = {
      ordered: true,
      serialize: (value) => Uint8Array.of(255 - value),
      deserialize: (bytes) => 255 - (bytes[0] as number),
    }
    const typed = serdes.tuple(serdes.string(), serdes.tuple(serdes.boolean(), serdes.date()))
    const value: [string, [boolean, Date]] = ['a', [true, new Date(5)]]
    assert.equal(hex(typed, value), encodeKey(value).toString('hex'))
    assert.deepEqual(typed.deserialize(typed.serialize(value, topic), topic), value)

    const mixed = serdes.tuple(serdes.string(), reversed)
    assert.equal((mixed as { typedKey?: boolean }).typedKey, false)
    assert.deepEqual(read(mixed, hex(mixed, ['a', 254])), ['a', 254])
    assert.ok(Buffer.compare(mixed.serialize(['a', 9], topic), mixed.serialize(['a', 8], topic)) < 0)
  })

  it('refuse malformed bytes, saying what was found and what was expected', () => {
    const { string, number, bigint, boolean, date, tuple, json, msgpack, windowed } = serdes
    const cases: [Serde<any>, string, RegExp][] = [
      [string(), 'ff61', /^orders has 2 bytes \(ff61\); expected UTF-8$/],
      [number(), '', /has no bytes; expected 8 bytes, a big-endian double/],
      [number(), '000000000000000000', /9 bytes \(000000000000000000\)/],
      [bigint(), '01', /1 byte \(01\); expected 8 bytes, a big-endian long/],
      [boolean(), '02', /\(02\); expected one byte, 00 or 01/],
      [boolean(), '0001', /2 bytes/],
      [date(), '7fffffffffffffff', /within 8.64e15/],
      [tuple(string()), '506100', /tuple of 1 parts/],
      [tuple(string()), '6050610011' + '00', /tuple of 1 parts/],
      [tuple(number()), '60506100' + '00', /tuple of 1 parts/],
      [tuple(string()), '6050', /expected a tuple.*expected the end of a string/],
      [json(), '7b', /expected JSON: /],
      [json(), '22ff22', /expected JSON in UTF-8/],
      [json(), '7b2261223a' + '20'.repeat(20), /25 bytes \([0-9a-f]{32}\.\.\.\)/],
      [msgpack(), 'c1', /expected MessagePack: /],
      [windowed(string()), '00'.repeat(15), /a key and 16 bytes of its window/],
      [windowed(number()), '00'.repeat(17), /1 byte \(00\); expected 8 bytes/],
    ]
    for (const [serde, bytes, message] of cases) {
      assert.throws(() => read(serde, bytes), { code: 'DHAARA_DESERIALIZE', domain: 'data', message }, `${bytes}`)
    }
  })

  it('refuse values of other types', () => {
    const { string, number, bigint, boolean, date, tuple, json, msgpack, bytes, windowed } = serdes
    const cases: [Serde<any>, unknown, RegExp][] = [
      [string(), 5, /^orders was given the number 5; expected a string$/],
      [number(), '5', /the string 5; expected a number/],
      [bigint(), 5, /expected a bigint/],
      [bigint(), 2n ** 63n, /expected a bigint from/],
      [boolean(), 1, /expected a boolean/],
      [date(), new Date(Number.NaN), /a Date; expected a valid Date/],
      [tuple(string()), ['a', 'b'], /tuple of 1 parts/],
      [tuple(string()), [5], /expected a string/],
      [tuple(number()), [Number.NaN], /NaN/],
      [json(), undefined, /undefined; expected what JSON can hold/],
      [json(), 5n, /expected what JSON can hold: .*BigInt/],
      [msgpack(), { f: () => 1 }, /a function/],
      [bytes(), 'a', /a Uint8Array/],
      [windowed(string()), { key: 'a' }, /window: \{start, end\}/],
      [windowed(string()), { key: 'a', window: { start: 0.5, end: 1 } }, /whole milliseconds/],
    ]
    for (const [serde, value, message] of cases) {
      assert.throws(() => serde.serialize(value, topic), { code: 'DHAARA_SERIALIZE', message })
    }
  })

  it('validate what they read by a Standard Schema, and give what it makes of it', () => {
    const schema = z.object({ items: z.array(z.object({ price: z.number() })), note: z.string().default('-') })
    for (const serde of [serdes.json(schema), serdes.msgpack(schema)]) {
      const plain = serde as Serde<unknown>
      assert.deepEqual(serde.deserialize(plain.serialize({ items: [{ price: 1 }] }, topic), topic), {
        items: [{ price: 1 }],
        note: '-',
      })
      assert.throws(
        () => serde.deserialize(plain.serialize({ items: [{ price: 1 }, { price: '2' }], note: 5 }, topic), topic),
        {
          code: 'DHAARA_SCHEMA',
          domain: 'data',
          message: /orders is not what its schema wants:\n {2}- items\[1\]\.price: .*\n {2}- note: /,
        },
      )
    }
  })

  it('refuse schemas that are none or that wait', () => {
    const later = z.string().refine(async () => false)
    assert.throws(() => read(serdes.json(later), '226122'), { code: 'DHAARA_OPTION', message: /asynchronously/ })
    assert.throws(() => serdes.json({} as never), { code: 'DHAARA_OPTION' })
  })

  it('say what is plain JSON, and give its text', () => {
    const plain = serdes.json()
    const checked = serdes.json(z.string())
    assert.ok(isFast(plain) && isFast(checked))
    assert.deepEqual([plain.plainJson, checked.plainJson], [true, false])
    assert.equal(plain.text?.({ a: '₹' }), '{"a":"₹"}')
  })

  it('of the user pass through, with their version and their this', () => {
    class Codec {
      readonly version = 3
      readonly shift = 1
      serialize(value: number): Uint8Array {
        return Uint8Array.of(value + this.shift)
      }
      deserialize(bytes: Uint8Array): number {
        return (bytes[0] as number) - this.shift
      }
    }
    const serde = serdes.from(new Codec())
    assert.deepEqual([serde.version, serde.ordered, isFast(serde)], [3, false, false])
    assert.equal(serde.deserialize(serde.serialize(5, topic), topic), 5)
    const windowed = serdes.windowed(serde)
    const key = { key: 7, window: { start: 0, end: 10 } }
    assert.deepEqual(windowed.deserialize(windowed.serialize(key, topic), topic), key)
  })

  it('refuse what is no serde', () => {
    assert.throws(() => serdes.tuple(serdes.bigint() as never), { code: 'DHAARA_OPTION' })
    assert.throws(() => serdes.windowed(undefined as never), { code: 'DHAARA_OPTION' })
    assert.throws(() => serdes.from({} as never), { code: 'DHAARA_OPTION' })
  })
})
