import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  compareKeys,
  decodeKey,
  decodeWholeKey,
  encodeKey,
  keyId,
  keyPrefixRange,
  KeyReader,
  KeyWriter,
  skipKey,
  writeKey,
} from '../../../src/state/codec/index.ts'

const hex = (key: unknown): string => encodeKey(key).toString('hex')
const same = (a: unknown, b: unknown): boolean => encodeKey(a).equals(encodeKey(b))
const sign = Math.sign

// Units at the borders of the escapes, of UTF-8 lengths and of surrogates.
const unit = fc.constantFrom(
  '\x00',
  '\x01',
  '\x02',
  'a',
  'b',
  '\x7f',
  '\x80',
  'é',
  '\u0800',
  '\ud7ff',
  '\ud800',
  '\udbff',
  '\udc00',
  '\udfff',
  '\ue000',
  '\uffff',
)
const text = fc.oneof(
  fc.array(unit, { maxLength: 5 }).map((units) => units.join('')),
  fc.string({ unit: 'binary' }),
)
const number = fc.oneof(fc.double({ noNaN: true }), fc.integer(), fc.constantFrom(0, -0, 1, -1, 0.5, Number.MIN_VALUE))
const bigint = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.bigInt({ min: -300n, max: 300n }),
)
const date = fc.date({ noInvalidDate: true })
const scalar: fc.Arbitrary<unknown> = fc.oneof(text, number, bigint, fc.boolean(), date)
const { ordered } = fc.letrec<{ ordered: unknown }>((tie) => ({
  ordered: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('ordered'), { maxLength: 3 })),
}))
const { any } = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.uint8Array({ maxLength: 4 }),
    fc.array(fc.oneof(tie('any'), fc.constant(null)), { maxLength: 3 }),
    fc.dictionary(fc.oneof(text, fc.constant('__proto__')), fc.oneof(tie('any'), fc.constant(null)), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
}))

/** The order as it is meant, without any bytes: types in the order of the table, text by code points. */
function expected(a: unknown, b: unknown): number {
  const rank = (key: unknown): number =>
    Array.isArray(key)
      ? 6
      : key instanceof Date
        ? 4
        : ['boolean', 'number', 'bigint', '', 'string'].indexOf(typeof key) + 1
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = expected(a[i], b[i])
      if (order !== 0) return order
    }
    return a.length - b.length
  }
  if (typeof a === 'string' && typeof b === 'string') {
    const points = (s: string): number[] => [...s].map((c) => c.codePointAt(0) as number)
    return expected(points(a), points(b))
  }
  const [x, y] = [a, b] as [number, number]
  return x < y ? -1 : x > y ? 1 : 0
}

describe('keys', () => {
  it('have the bytes that key-tags.ts tells of', () => {
    assert.equal(hex('a'), '506100')
    assert.equal(hex('\x00\x01é'), '5001010102c3a900')
    assert.equal(hex(1), '20bff0000000000000')
    assert.equal(hex(-1), '20400fffffffffffff')
    assert.equal(hex(-0), hex(0))
    assert.equal(hex(0n), '3100')
    assert.equal(hex(256n), '31020100')
    assert.equal(hex(-1n), '30fefe')
    assert.equal(hex(new Date(1)), '40bff0000000000000')
    assert.equal(hex([]), '6000')
    assert.equal(hex(['a', 1]), '6050610020bff000000000000000')
    assert.equal(hex({ b: true, a: null, c: undefined }), 'f05061000850620011' + '00')
    assert.equal(hex(new Uint8Array([0, 9])), '5801010900')
    assert.equal(
      encodeKey(2n ** 2048n)
        .subarray(0, 6)
        .toString('hex'),
      '31ff00000101',
    )
  })

  it('order as their values', () => {
    fc.assert(
      fc.property(ordered, ordered, (a, b) => {
        assert.equal(sign(Buffer.compare(encodeKey(a), encodeKey(b))), sign(expected(a, b)))
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(text, text, (a, b) => {
        assert.equal(sign(Buffer.compare(encodeKey(a), encodeKey(b))), sign(expected(a, b)))
      }),
      { numRuns: 2000 },
    )
  })

  it('compare as their bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(any, any), fc.tuple(text, text), fc.tuple(number, number)), ([a, b]) => {
        assert.equal(sign(compareKeys(a, b)), sign(Buffer.compare(encodeKey(a), encodeKey(b))))
      }),
      { numRuns: 3000 },
    )
  })

  it('come back from their bytes, wherever these lie and whatever follows', () => {
    fc.assert(
      fc.property(any, fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 3 }), (key, before, after) => {
        const bytes = encodeKey(key)
        const around = Buffer.concat([before, bytes, after])
        assert.ok(same(decodeKey(around, before.length), key))
        assert.equal(skipKey(around, before.length), before.length + bytes.length)
        assert.deepEqual(normal(decodeWholeKey(bytes)), normal(key))
      }),
      { numRuns: 1000 },
    )
  })

  it('order one after the other as tuples do, with any bytes after them', () => {
    fc.assert(
      fc.property(any, any, fc.nat(255), fc.nat(255), (a, b, x, y) => {
        const [p, q] = [new KeyWriter(1).key(a).byte(x).copy(), new KeyWriter(1).key(b).byte(y).copy()]
        assert.equal(sign(Buffer.compare(p, q)), sign(compareKeys(a, b) || x - y))
      }),
      { numRuns: 1000 },
    )
  })

  it('have equal ids if and only if they have equal bytes', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        const ids = new Set([keyId(a), keyId(b)])
        assert.equal(ids.size === 1, same(a, b))
      }),
      { numRuns: 2000 },
    )
    // Strings that look like the id of another key.
    fc.assert(
      fc.property(any, (key) => {
        const id = keyId(key)
        if (typeof key !== 'string') assert.notEqual(keyId(`${id}`), id)
      }),
    )
    // pairs of whole numbers, at the bounds of what a number is found by, and the numbers that are nearest to their ids
    const part = fc.oneof(fc.nat(3), fc.constantFrom(-0, -1, 0.5, 2 ** 26 - 1, 2 ** 26, 2 ** 32, 2 ** 53, '1', null))
    const pair = fc.tuple(part, part)
    const near: fc.Arbitrary<unknown> = pair.chain((key): fc.Arbitrary<unknown> => {
      const id = keyId(key)
      return typeof id === 'number' ? fc.constantFrom(id, id - 0.5, id + 0.5, -id) : fc.constant(id)
    })
    fc.assert(
      fc.property(fc.oneof(pair, near), fc.oneof(pair, near), (a, b) => {
        assert.equal(keyId(a) === keyId(b), same(a, b))
      }),
      { numRuns: 5000 },
    )
    assert.notEqual(keyId(keyId([3, 4])), keyId([3, 4]))
    assert.equal(keyId('order-1'), 'order-1')
    assert.equal(keyId(5), 5)
    assert.notEqual(keyId('5'), keyId(5))
  })

  it('are found by the start of a string or of a tuple, and nothing else is', () => {
    const within = (prefix: unknown, key: unknown): boolean => {
      const [{ gte, lt }, bytes] = [keyPrefixRange(prefix), encodeKey(key)]
      return Buffer.compare(bytes, gte) >= 0 && Buffer.compare(bytes, lt) < 0
    }
    const points = (s: string): string[] => [...s]
    fc.assert(
      fc.property(text, text, (prefix, key) => {
        const starts = points(prefix).every((point, i) => points(key)[i] === point)
        assert.equal(within(prefix, key), starts)
        assert.ok(within(prefix, prefix + (prefix.isWellFormed() ? key : 'x')))
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(fc.array(any, { maxLength: 3 }), fc.array(any, { maxLength: 3 }), any, (prefix, rest, other) => {
        assert.ok(within(prefix, [...prefix, ...rest]))
        if (prefix.length > 0) assert.equal(within(prefix, [...prefix.slice(0, -1), other]), same(prefix.at(-1), other))
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(any, any, (a, b) => {
        if (typeof a !== 'string' && !Array.isArray(a)) assert.equal(within(a, b), same(a, b))
      }),
    )
  })

  it('are written at an offset if there is room', () => {
    const buf = Buffer.alloc(8, 0xee)
    assert.equal(writeKey(buf, 2, 'abcd'), 8)
    assert.equal(buf.toString('hex'), 'eeee506162636400')
    assert.equal(writeKey(buf, 3, 'abcd'), -1)
    assert.equal(buf.toString('hex'), 'eeee506162636400')
  })

  it('are read one after the other', () => {
    const bytes = new KeyWriter().uint32(7).key('a').double(-1.5).key([1]).raw(Buffer.from('z')).copy()
    const reader = new KeyReader(bytes, 4)
    assert.equal(reader.key(), 'a')
    reader.pos += 8
    assert.deepEqual(reader.key(), [1])
    assert.equal(reader.pos, bytes.length - 1)
  })

  it('long texts have the bytes of short ones', () => {
    for (const part of ['x', 'é', '\u0000', '😀', '\ud800', 'x\u0001']) {
      const long = part.repeat(200)
      assert.equal(decodeKey(encodeKey(long)), long)
      assert.equal(encodeKey(long).length, 2 + 200 * (encodeKey(part).length - 2))
    }
  })

  it('refuse what is no key, saying what it is', () => {
    const code = 'DHAARA_SERIALIZE'
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    class Point {}
    const refused: [unknown, RegExp][] = [
      [Number.NaN, /NaN/],
      [[1, Number.NaN], /NaN/],
      [new Date(Number.NaN), /invalid Date/],
      [null, /null/],
      [undefined, /undefined/],
      [[undefined], /undefined/],
      [() => 1, /function/],
      [new Map(), /Map/],
      [new Point(), /Point/],
      [new Float64Array(1), /Float64Array/],
      [cyclic, /nested/],
    ]
    for (const [key, message] of refused) {
      assert.throws(() => encodeKey(key), { code, message })
      assert.throws(() => keyId(key), { code, message })
    }
  })

  it('refuse malformed bytes, saying what was found', () => {
    for (const [bytes, message] of [
      ['', /nothing more; expected the tag/],
      ['99', /99 at 0; expected the tag/],
      ['08', /expected the tag/],
      ['506162', /expected the end of a string/],
      ['500105' + '00', /expected an escape/],
      ['50c300', /expected UTF-8/],
      ['20bff0', /8 bytes of a number/],
      ['60506100', /the end of a tuple/],
      ['f02000', /the name of a property/],
      ['3105ff', /5 bytes of a bigint/],
      ['1111', /the end of the key/],
    ] as const) {
      const malformed = Buffer.from(bytes, 'hex')
      assert.throws(() => decodeWholeKey(malformed), { code: 'DHAARA_DESERIALIZE', message })
    }
  })

  it('never fail otherwise on any bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 1, 2, 8, 0x10, 0x20, 0x30, 0x31, 0x40, 0x50, 0x58, 0x60, 0xc3, 0xed, 0xf0, 0xff)),
        (bytes) => {
          try {
            decodeKey(Uint8Array.from(bytes))
          } catch (error) {
            assert.equal((error as { code: string }).code, 'DHAARA_DESERIALIZE')
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

/** -0 is 0, undefined properties are absent. */
function normal(key: unknown): unknown {
  if (typeof key === 'number') return key + 0
  if (Array.isArray(key)) return key.map(normal)
  if (key instanceof Uint8Array) return [...key]
  if (key instanceof Date || typeof key !== 'object' || key === null) return key
  return Object.entries(key)
    .map(([name, part]) => [name, normal(part)])
    .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1))
}
