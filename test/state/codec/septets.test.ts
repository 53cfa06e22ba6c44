import assert from 'node:assert/strict'
import fc from 'fast-check'
import { packSeptets, packStamped, readStamp, unpackSeptets } from '../../../src/state/codec/index.ts'
import { anyValue } from './any-value.ts'

const hex = (value: unknown): string => packSeptets(value, 0).toString('hex').slice(16)

describe('values in septets', () => {
  it('come back from their bytes, with their timestamp', () => {
    const timestamp = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 49 - 1 }),
      fc.constantFrom(0, 1, 1.5, 2 ** 28, 2 ** 49 - 1, 2 ** 49, Number.MAX_SAFE_INTEGER, Number.NEGATIVE_INFINITY),
    )
    fc.assert(
      fc.property(anyValue, timestamp, (value, at) => {
        const bytes = packSeptets(value, at)
        assert.deepStrictEqual(unpackSeptets(bytes), value)
        assert.equal(readStamp(bytes, 0), at)
      }),
      { numRuns: 3000 },
    )
  })

  it('keep every number at the edges of what is written in another way, and -0', () => {
    const edges = [48, 2 ** 14, 2 ** 28, 2 ** 32, 2 ** 49, 2 ** 53, 2 ** 31].flatMap((edge) => [
      edge - 1,
      edge,
      edge + 1,
      edge + 0.5,
    ])
    for (const n of [...edges, ...edges.map((n) => -n), 0, -0, Number.NaN, 5e-324, Number.MAX_VALUE])
      assert.ok(Object.is(unpackSeptets(packSeptets(n, 7)), n), String(n))
  })

  it('keep texts of all lengths, in ASCII or not', () => {
    for (let length = 0; length < 300; length++) {
      for (const text of [
        'x'.repeat(length),
        'é'.repeat(length),
        `${'x'.repeat(length)}🏏`,
        `x${'\ud800'.repeat(length)}`,
      ]) {
        assert.equal(unpackSeptets(packSeptets(text, 7)), text)
        assert.deepEqual(unpackSeptets(packSeptets({ [text]: [text] }, 7)), { [text]: [text] })
      }
    }
    const longest = 'x'.repeat(300_000)
    assert.equal(unpackSeptets(packSeptets(longest, 7)), longest)
  })

  it('are valid UTF-8 where they hold objects, arrays, numbers, times and texts; ASCII where the texts are', () => {
    const of = (unit: 'grapheme' | 'grapheme-ascii') =>
      fc.tuple(
        fc.object({ key: fc.string({ unit }), values: [fc.string({ unit }), fc.double(), fc.integer(), fc.boolean()] }),
        fc.integer({ min: 0 }),
      )
    fc.assert(
      fc.property(of('grapheme'), ([value, at]) => {
        const bytes = packSeptets([value, new Date(at), undefined, null], at)
        assert.deepEqual(Buffer.from(bytes.toString()), bytes)
      }),
    )
    fc.assert(
      fc.property(of('grapheme-ascii'), ([value, at]) => {
        assert.ok(packSeptets([value, new Date(at), undefined, null], at).every((byte) => byte < 0x80))
      }),
    )
  })

  it('lie as they are said to', () => {
    assert.equal(packSeptets(0, 1).toString('hex'), '010000000000000150')
    assert.equal(hex({ count: 3, sum: 1.5 }), '2205636f756e745303' + '73756d' + '463f7c' + '00'.repeat(7))
    assert.equal(hex([null, undefined, false, true, 47, 48]), '363c3d3e3f7f400030')
    assert.equal(
      hex([-1, 16_384, 2 ** 28, 2 ** 32]),
      '34' + '440000' + '4100010000' + '420100000000' + '4300001000000000',
    )
    assert.equal(hex('é'), '4b0201c3a9')
    assert.equal(hex(new Uint8Array([255])), '4fc401ff')
  })

  it('are read where they lie as MessagePack behind a double', () => {
    fc.assert(
      fc.property(anyValue, fc.integer({ min: 0 }), (value, at) => {
        assert.deepStrictEqual(unpackSeptets(packStamped(value, at)), value)
        assert.equal(readStamp(packStamped(value, at), 0), at)
      }),
    )
  })

  it('refuse what they cannot keep, and what is nested without an end', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = [cyclic]
    const inMap = new Map<string, unknown>()
    inMap.set('self', { inMap })
    for (const value of [{ f: () => 1 }, [Symbol('s')], /x/, new WeakMap(), cyclic, inMap])
      assert.throws(() => packSeptets(value, 1), { code: 'DHAARA_SERIALIZE' })
    let deep: unknown = 1
    for (let i = 0; i < 500; i++) deep = [deep]
    assert.deepEqual(unpackSeptets(packSeptets(deep, 1)), deep)
  })

  it('refuse malformed bytes, saying what was found', () => {
    for (const [bytes, message] of [
      ['', /nothing more at 8/],
      ['80', /80 at 8; expected the tag/],
      ['0361', /3 more bytes/],
      ['33', /3 elements/],
      ['5051', /ends at byte 9/],
      ['4fd47700', /a known extension/],
    ] as const) {
      const all = Buffer.from(`0100000000000000${bytes}`, 'hex')
      assert.throws(() => unpackSeptets(all), { code: 'DHAARA_DESERIALIZE', message })
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        try {
          unpackSeptets(Buffer.concat([Buffer.from('0100000000000000', 'hex'), bytes]))
        } catch (error) {
          assert.equal((error as { code: string }).code, 'DHAARA_DESERIALIZE')
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('do not share memory with the bytes they came from', () => {
    const bytes = packSeptets([new Uint8Array([1, 2]), 'text', 'é'], 1)
    const value = unpackSeptets(bytes)
    bytes.fill(0)
    assert.deepEqual(value, [new Uint8Array([1, 2]), 'text', 'é'])
  })
})
