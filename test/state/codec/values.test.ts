import assert from 'node:assert/strict'
import fc from 'fast-check'
import { unpack } from 'msgpackr'
import { anyValue } from './any-value.ts'
import {
  copyValue,
  decodeValue,
  deepFreeze,
  encodeValue,
  encodeValueInto,
  fingerprint,
  packStamped,
  sameFingerprint,
  unpackStamped,
  ValueReader,
  ValueWriter,
} from '../../../src/state/codec/index.ts'

describe('values', () => {
  it('come back from their bytes', () => {
    fc.assert(
      fc.property(anyValue, (value) => assert.deepStrictEqual(decodeValue(encodeValue(value)), value)),
      { numRuns: 2000 },
    )
  })

  it('keep undefined properties, -0 and NaN', () => {
    const back = decodeValue(encodeValue({ a: undefined, b: -0, c: Number.NaN })) as Record<string, unknown>
    assert.deepEqual(Object.keys(back), ['a', 'b', 'c'])
    assert.ok(Object.is(back['b'], -0))
    assert.ok(Number.isNaN(back['c']))
  })

  it('are MessagePack that others read, if they are plain data', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        if (JSON.stringify(value).includes('__proto__')) return
        assert.deepEqual(unpack(encodeValue(value)), value)
      }),
    )
    assert.deepEqual(unpack(encodeValue([new Date(1_700_000_000_123), new Date(-5)])), [
      new Date(1_700_000_000_123),
      new Date(-5),
    ])
    assert.equal(
      encodeValue({ count: 3, sum: 1.5, max: 2 }).toString('hex'),
      '83a5636f756e7403a373756dcb3ff8000000000000a36d617802',
    )
  })

  it('read what other encoders write', () => {
    const read = (hex: string): unknown => decodeValue(Buffer.from(hex, 'hex'))
    assert.equal(read('cf0000018bcfe56800'), 1_700_000_000_000)
    assert.equal(read('cfffffffffffffffff'), 2n ** 64n - 1n)
    assert.equal(read('d3ffffffffffffffff'), -1)
    assert.equal(read('ca3fc00000'), 1.5)
    assert.equal(read('d0ff'), -1)
    assert.equal(read('d1ff00'), -256)
    assert.deepEqual(read('c50001ff'), new Uint8Array([255]))
    assert.deepEqual(read('de0001a161c0'), { a: null })
    assert.deepEqual(read('810102'), { 1: 2 })
  })

  it('that are instances of classes come back as plain objects; Buffers as Uint8Array', () => {
    class Point {
      x = 1
      #hidden = 2
      norm(): number {
        return this.x + this.#hidden
      }
    }
    const point: Point = new Point()
    assert.deepStrictEqual(decodeValue(encodeValue(point)), { x: 1 })
    assert.deepStrictEqual(decodeValue(encodeValue(Buffer.from('a'))), new Uint8Array([97]))
    assert.deepStrictEqual(decodeValue(encodeValue([, 1])), [undefined, 1])
    assert.deepStrictEqual(decodeValue(encodeValue(Object.create(null))), {})
  })

  it('refuse what they cannot keep', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    for (const [value, message] of [
      [{ f: () => 1 }, /a function/],
      [[Symbol('s')], /a symbol/],
      [/x/, /a RegExp/],
      [new Error('x'), /a Error/],
      [new WeakMap(), /a WeakMap/],
      [cyclic, /cyclic/],
    ] as const) {
      assert.throws(() => encodeValue(value), { code: 'DHAARA_SERIALIZE', message })
    }
    assert.deepEqual(decodeValue(encodeValue('still works')), 'still works')
  })

  it('refuse malformed bytes, saying what was found', () => {
    for (const [bytes, message] of [
      ['', /0 bytes has nothing more at 0/],
      ['c1', /c1 at 0; expected the tag/],
      ['a361', /2 more bytes|3 more bytes/],
      ['93', /3 elements/],
      ['0102', /ends at byte 1/],
      ['d47700', /a known extension/],
    ] as const) {
      assert.throws(() => decodeValue(Buffer.from(bytes, 'hex')), { code: 'DHAARA_DESERIALIZE', message })
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        try {
          decodeValue(bytes)
        } catch (error) {
          assert.equal((error as { code: string }).code, 'DHAARA_DESERIALIZE')
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('lie at an offset, one after the other, or after a timestamp', () => {
    const buf = Buffer.alloc(4, 0xee)
    assert.equal(encodeValueInto(buf, 1, 'ab'), 4)
    assert.equal(buf.toString('hex'), 'eea26162')
    assert.equal(encodeValueInto(buf, 2, 'ab'), -1)
    assert.equal(decodeValue(buf, 1, 4), 'ab')

    const bytes = new ValueWriter(1)
      .value(1)
      .value({ a: [2] })
      .copy()
    const reader = new ValueReader(bytes)
    assert.deepEqual([reader.value(), reader.done, reader.value(), reader.done], [1, false, { a: [2] }, true])

    const stamped = packStamped({ a: 1 }, 1.5)
    assert.equal(stamped.readDoubleBE(0), 1.5)
    assert.deepEqual(unpackStamped(stamped), { a: 1 })
  })

  it('do not share memory with the bytes they came from', () => {
    const bytes = encodeValue([new Uint8Array([1, 2]), 'text'])
    const value = decodeValue(bytes)
    bytes.fill(0)
    assert.deepEqual(value, [new Uint8Array([1, 2]), 'text'])
  })
})

describe('copies', () => {
  it('equal their originals and share no object with them', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const copy = copyValue(value)
        assert.deepStrictEqual(copy, value)
        const [mine, theirs] = [objects(value), objects(copy)]
        for (const object of theirs) assert.ok(!mine.has(object))
      }),
    )
  })

  it('keep the class of an instance', () => {
    class Total {
      parts = [1]
      sum(): number {
        return this.parts.length
      }
    }
    const [original, copy] = [new Total(), copyValue(new Total())]
    copy.parts.push(2)
    assert.deepEqual([original.sum(), copy.sum(), copy instanceof Total], [1, 2, true])
    assert.ok(Buffer.isBuffer(copyValue(Buffer.from('a'))))
  })

  it('refuse cycles', () => {
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    assert.throws(() => copyValue(cyclic), { code: 'DHAARA_SERIALIZE' })
  })
})

describe('frozen values', () => {
  it('cannot be written to, at any depth', () => {
    const value = { list: [{ n: 1 }], map: new Map([['k', { n: 2 }]]) }
    assert.equal(deepFreeze(value), value)
    assert.throws(() => ((value.list[0] as { n: number }).n = 2), TypeError)
    assert.throws(() => value.list.push({ n: 3 }), TypeError)
    assert.throws(() => ((value.map.get('k') as { n: number }).n = 2), TypeError)
  })

  it('are told from changed ones by the fingerprint of what cannot be frozen', () => {
    const value = {
      map: new Map([[1, [2]]]),
      set: new Set([1]),
      at: new Date(5),
      bytes: new Uint8Array([1, 2]),
      list: [new Date(1)],
    }
    const changes: (() => void)[] = [
      () => value.map.set(1, [2]),
      () => value.map.delete(1),
      () => value.set.add(2),
      () => value.at.setTime(6),
      () => value.bytes.fill(9),
      () => (value.list[0] as Date).setTime(2),
    ]
    deepFreeze(value)
    for (const change of changes) {
      const before = fingerprint(value)
      assert.ok(sameFingerprint(before, fingerprint(value)))
      change()
      assert.ok(!sameFingerprint(before, fingerprint(value)), change.toString())
    }
    assert.equal(fingerprint({ a: [1] }), undefined)
  })

  it('may be cyclic', () => {
    const cyclic: Record<string, unknown> = { at: new Date(1) }
    cyclic['self'] = cyclic
    assert.ok(Object.isFrozen(deepFreeze(cyclic)))
    assert.ok(sameFingerprint(fingerprint(cyclic), fingerprint(cyclic)))
  })
})

function objects(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found
  found.add(value)
  if (value instanceof Map) for (const [key, part] of value) objects(part, objects(key, found))
  else if (value instanceof Set) for (const part of value) objects(part, found)
  else if (ArrayBuffer.isView(value)) found.add(value.buffer)
  else for (const part of Object.values(value)) objects(part, found)
  return found
}
