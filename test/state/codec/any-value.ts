import fc from 'fast-check'

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ minLength: 40, maxLength: 80 }),
  fc.constantFrom('\ud800', 'a\udc00', '\ufffd', 'é'.repeat(40)),
)
const scalar: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.boolean(),
  fc.constantFrom(
    null,
    undefined,
    -0,
    127,
    128,
    255,
    256,
    65535,
    65536,
    2 ** 32 - 1,
    2 ** 32,
    -32,
    -33,
    -(2 ** 31),
    -(2 ** 31) - 1,
  ),
  fc.date(),
  fc.constantFrom(new Date(0), new Date(-1), new Date(999), new Date(2 ** 34 * 1000), new Date(Number.NaN)),
)
const typed: fc.Arbitrary<unknown> = fc.oneof(
  fc.uint8Array(),
  fc.float64Array(),
  fc.int16Array(),
  fc.bigUint64Array(),
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
)
/** Whatever state can keep. */
export const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    typed,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.oneof(text, fc.constant('__proto__')), tie('value'), { maxKeys: 20, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 3 }).map((entries) => new Set(entries)),
  ),
}))
