import assert from 'node:assert/strict'
import fc from 'fast-check'
import { aggregatorSpec } from '../../../src/dsl/aggregators/index.ts'
import type { AggregateSpec, UserFn } from '../../../src/dsl/plan/index.ts'
import { approxDistinct, type OrderedKey, quantile } from '../../../src/index.ts'
import { decodeValue, encodeValue } from '../../../src/state/codec/index.ts'
import { refusal } from '../plan.ts'

const fold = (spec: AggregateSpec, values: Iterable<unknown>): unknown => {
  const add = spec.adders[0] as UserFn
  let state = spec.init?.()
  for (const value of values) state = add(state, value)
  return state
}
const read = (spec: AggregateSpec, state: unknown) => spec.result?.(state) as number
const merged = (spec: AggregateSpec, a: unknown, b: unknown) => spec.merge?.(a, b, 'k') as unknown
const stored = (state: unknown) => decodeValue(encodeValue(state))

describe('quantile', () => {
  const numbers = fc.array(
    fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -5, max: 5 }), fc.constant(-0)),
    { minLength: 1, maxLength: 60 },
  )
  const share = fc.oneof(fc.constantFrom(0, 0.5, 0.99, 1), fc.double({ min: 0, max: 1, noNaN: true }))

  it('is within 1 % of the value of that rank, in one piece, in two, and stored', () => {
    fc.assert(
      fc.property(numbers, fc.nat(60), share, (values, cut, q) => {
        const spec = aggregatorSpec(quantile((n: number) => n, q))
        const exact = [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))] as number
        const whole = fold(spec, values)
        const parts = merged(spec, stored(fold(spec, values.slice(0, cut))), fold(spec, values.slice(cut)))
        for (const state of [whole, stored(whole), parts]) {
          const found = read(spec, state)
          assert.ok(Math.abs(found - exact) <= Math.abs(exact) * 0.0100001, `${found} for ${exact}`)
        }
        assert.equal(read(spec, parts), read(spec, whole))
      }),
      { numRuns: 300 },
    )
  })

  it('keeps its bound where the values are many, and its size', () => {
    const spec = aggregatorSpec(quantile((n: number) => n, 0.999))
    const values = Array.from({ length: 50_000 }, (_, i) => Math.exp(((i * 7919) % 50_000) / 2500)) // prettier-ignore
    const state = fold(spec, values)
    const exact = values.sort((a, b) => a - b)[Math.floor(0.999 * (values.length - 1))] as number
    assert.ok(Math.abs(read(spec, state) - exact) <= exact * 0.01)
    assert.ok(encodeValue(state).length < 16_384)
  })

  it('has no more than its share of bins, and loses nothing but what is near zero', () => {
    const spec = aggregatorSpec(quantile((n: number) => n, 0.9))
    const values = Array.from({ length: 5000 }, (_, i) => 1.05 ** (i - 2500))
    const state = fold(spec, [...values, ...values.toReversed()])
    const exact = values[Math.floor(0.9 * 4999.5)] as number
    assert.ok(Math.abs(read(spec, state) - exact) <= exact * 0.06)
    assert.equal((state as { count: number }).count, 10_000)
    assert.ok(encodeValue(state).length < 40_000)
  })

  it('refuses what is no share, and values that are no numbers', () => {
    assert.throws(() => quantile(() => 1, 99), refusal('DHAARA_OPTION', /found q = 99, expected 0 to 1/))
    const spec = aggregatorSpec(quantile((n: number) => n, 0.5))
    assert.throws(() => fold(spec, [Number.NaN]), /quantile: found NaN, expected a finite number/)
  })
})

describe('approxDistinct', () => {
  const spec = aggregatorSpec(approxDistinct((item: OrderedKey) => item))
  const users = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `user-${from + i}`)

  it('is exact up to 1024 items, of any type', () => {
    const items: OrderedKey[] = [
      '',
      '1',
      1,
      1n,
      true,
      false,
      0,
      -0,
      new Date(1),
      ['1'],
      ['1', ''],
      [],
      [[]],
      ['a', 'b'],
    ]
    assert.equal(read(spec, fold(spec, [...items, ...items])), items.length - 1)
    assert.equal(read(spec, fold(spec, users(0, 1024))), 1024)
  })

  it('is within four standard errors beyond, however it was put together', () => {
    for (const n of [1025, 3000, 20_000, 200_000]) {
      const all = users(0, n)
      const whole = fold(spec, all)
      const found = read(spec, whole)
      assert.ok(Math.abs(found - n) <= n * 4 * 0.0081, `${found} for ${n}`)
      const half = Math.floor(n / 2)
      const parts = merged(spec, stored(fold(spec, users(0, half))), fold(spec, users(half - 100, n)))
      assert.equal(read(spec, parts), found)
      assert.equal(read(spec, merged(spec, fold(spec, users(0, 5)), stored(whole))), found)
    }
  })

  it('takes 17 KiB at most', () => {
    assert.ok(encodeValue(fold(spec, users(0, 30_000))).length < 17 * 1024)
    assert.ok(encodeValue(fold(spec, users(0, 1))).length < 64)
  })

  it('tells numbers apart as well as text', () => {
    const numbers = Array.from({ length: 50_000 }, (_, i) => i * 1000)
    const found = read(spec, fold(spec, numbers))
    assert.ok(Math.abs(found - 50_000) <= 50_000 * 4 * 0.0081, String(found))
  })
})
