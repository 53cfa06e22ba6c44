import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  aggregatorSpec,
  compareKeys,
  countSpec,
  overRows,
  topNOfRowsSpec,
  topNSpec,
} from '../../../src/dsl/aggregators/index.ts'
import type { AggregateSpec } from '../../../src/dsl/plan/index.ts'
import {
  aggregators,
  approxDistinct,
  avg,
  collect,
  count,
  distinct,
  first,
  latest,
  max,
  min,
  type OrderedKey,
  serdes,
  sum,
  topK,
} from '../../../src/index.ts'
import { refusal } from '../plan.ts'

interface Sale {
  readonly item: string
  readonly n: number
  readonly at: number
}
const sale = fc.record(
  { item: fc.constantFrom('a', 'b', 'c', 'd', 'e'), n: fc.integer({ min: -9, max: 9 }), at: fc.nat(20) },
  { noNullPrototype: true },
)
const sales = fc.array(sale, { minLength: 1, maxLength: 30 })

const msgpack = serdes.msgpack<unknown>()
/** What a state is after it was stored. */
const stored = (state: unknown) => msgpack.deserialize(msgpack.serialize(state, 't'), 't')

function fold(spec: AggregateSpec, values: readonly Sale[], keep = (state: unknown) => state): unknown {
  const add = spec.adders[0]!
  return values.reduce((state, v) => keep(add(state, v, 'k', v.at)), spec.init?.())
}
const resultOf = (spec: AggregateSpec, state: unknown) => (spec.result === undefined ? state : spec.result(state))

const ascending = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
function tally(values: readonly Sale[]) {
  const counts = new Map<string, number>()
  for (const { item } of values) counts.set(item, (counts.get(item) ?? 0) + 1)
  return [...counts]
    .map(([item, n]) => ({ item, count: n }))
    .sort((a, b) => b.count - a.count || ascending(a.item, b.item))
}

/** Name -> aggregator and what it must give. */
const models: Record<string, readonly [unknown, (values: readonly Sale[]) => unknown]> = {
  count: [count(), (v) => v.length],
  sum: [sum((s: Sale) => s.n), (v) => v.reduce((t, s) => t + s.n, 0)],
  avg: [avg((s: Sale) => s.n), (v) => v.reduce((t, s) => t + s.n, 0) / v.length],
  min: [min((s: Sale) => s.n), (v) => Math.min(...v.map((s) => s.n))],
  max: [
    max((s: Sale) => s.item),
    (v) =>
      v
        .map((s) => s.item)
        .sort(ascending)
        .at(-1),
  ],
  first: [first((s: Sale) => s.n), (v) => v.toSorted((a, b) => a.at - b.at)[0]?.n],
  latest: [latest((s: Sale) => s.n), (v) => v.toSorted((a, b) => a.at - b.at).at(-1)?.n],
  collect: [collect((s: Sale) => s.n), (v) => v.map((s) => s.n)],
  'collect max': [collect((s: Sale) => s.n, { max: 4 }), (v) => v.slice(0, 4).map((s) => s.n)],
  distinct: [distinct((s: Sale) => s.item), (v) => [...new Set(v.map((s) => s.item))].sort(ascending)],
  approxDistinct: [approxDistinct((s: Sale) => [s.item, s.n]), (v) => new Set(v.map((s) => s.item + s.n)).size],
  topK: [topK((s: Sale) => s.item, 3), (v) => tally(v).slice(0, 3)],
  aggregators: [
    aggregators({ n: count(), top: topK((s: Sale) => s.item, 1), last: latest((s: Sale) => s.at) }),
    (v) => ({ n: v.length, top: tally(v).slice(0, 1), last: Math.max(...v.map((s) => s.at)) }),
  ],
}

describe('aggregators', () => {
  for (const [name, [aggregator, model]] of Object.entries(models)) {
    const spec = aggregatorSpec(aggregator)

    it(`${name} gives what a plain loop gives`, () => {
      fc.assert(fc.property(sales, (values) => assert.deepEqual(resultOf(spec, fold(spec, values)), model(values))))
    })

    it(`${name} gives the same when its state is stored between any two values`, () => {
      fc.assert(
        fc.property(sales, (values) => assert.deepEqual(resultOf(spec, fold(spec, values, stored)), model(values))),
      )
    })

    it(`${name} gives the same when two parts are merged`, () => {
      fc.assert(
        fc.property(sales, sales, (left, right) => {
          const merged = spec.merge?.(fold(spec, left), fold(spec, right), 'k')
          assert.deepEqual(resultOf(spec, merged), model([...left, ...right]))
        }),
      )
    })

    if (spec.pure) {
      it(`${name} never changes its state in place`, () => {
        const add = spec.adders[0]!
        fc.assert(
          fc.property(sales, sale, (values, next) => {
            const state = fold(spec, values)
            const before = structuredClone(state)
            add(state, next, 'k', next.at)
            assert.deepEqual(state, before)
          }),
        )
      })
    }

    it(`${name} gives results that later values do not change`, () => {
      fc.assert(
        fc.property(sales, sales, (values, more) => {
          const state = fold(spec, values)
          const result = resultOf(spec, state)
          const before = structuredClone(result)
          for (const v of more) spec.adders[0]?.(state, v, 'k', v.at)
          assert.deepEqual(result, before)
        }),
      )
    })

    if (spec.subtract === undefined) continue
    it(`${name} takes values out again`, () => {
      fc.assert(
        fc.property(sales, sales, (stay, leave) => {
          const state = fold(spec, [...stay, ...leave])
          const left = leave.reduce((s, v) => spec.subtract?.(s, v, 'k', v.at), state)
          assert.deepEqual(resultOf(spec, left), model(stay))
        }),
      )
    })
  }

  it('only count, sum, avg and what is made of them can subtract', () => {
    const can = Object.entries(models).filter(([, [a]]) => aggregatorSpec(a).subtract !== undefined)
    assert.deepEqual(
      can.map(([name]) => name),
      ['count', 'sum', 'avg'],
    )
    assert.ok(aggregatorSpec(aggregators({ n: count(), s: sum((v: Sale) => v.n) })).subtract)
  })

  it('say whether they read the timestamp', () => {
    const timed = Object.entries(models).filter(([, [a]]) => aggregatorSpec(a).timed)
    assert.deepEqual(
      timed.map(([name]) => name),
      ['first', 'latest', 'aggregators'],
    )
  })

  it('give their results whatever names they have', () => {
    const names = ['__proto__', 'a-b', '1', '"', '\u2028', "${x}'`", 'constructor']
    const spec = aggregatorSpec(aggregators(Object.fromEntries(names.map((name, i) => [name, sum(() => i)]))))
    const result = resultOf(spec, fold(spec, [{ item: 'a', n: 1, at: 0 }])) as object
    assert.deepEqual(new Map(Object.entries(result)), new Map(names.map((name, i) => [name, i])))
    assert.equal(Object.getPrototypeOf(result), Object.prototype)
  })

  it('refuse what they cannot use', () => {
    assert.throws(() => aggregators({}), refusal('DHAARA_OPTION', /expected at least one/))
    assert.throws(() => aggregators({ n: 5 as never }), refusal('DHAARA_OPTION', /Found 5; expected an aggregator/))
    assert.throws(() => sum('n' as never), refusal('DHAARA_OPTION', /sum: found "n"/))
    assert.throws(() => topK((s: Sale) => s.item, 0), refusal('DHAARA_OPTION', /topK k/))
    assert.throws(() => collect((s: Sale) => s.item, { max: 1.5 }), refusal('DHAARA_OPTION', /collect max/))
  })
})

describe('topN', () => {
  const by = (s: Sale) => s.n
  const best = (values: readonly Sale[], n: number) => values.toSorted((a, b) => b.n - a.n).slice(0, n)

  it('of a stream gives the best, ties in order of arrival', () => {
    const spec = topNSpec(3, by)
    fc.assert(
      fc.property(sales, (values) => assert.deepEqual(resultOf(spec, fold(spec, values, stored)), best(values, 3))),
    )
  })

  it('merges parts', () => {
    const spec = topNSpec(3, by)
    fc.assert(
      fc.property(sales, sales, (a, b) => {
        assert.deepEqual(resultOf(spec, spec.merge?.(fold(spec, a), fold(spec, b))), best([...a, ...b], 3))
      }),
    )
  })

  it('of rows knows the next when one leaves, and is null when none is left', () => {
    const spec = topNOfRowsSpec(2, by)
    fc.assert(
      fc.property(fc.uniqueArray(sale, { minLength: 1, selector: (s) => s.n }), fc.nat(), (rows, pick) => {
        const gone = rows[pick % rows.length] as Sale
        const left = spec.subtract?.(fold(spec, rows, stored), gone, 'k')
        const stay = rows.filter((row) => row !== gone)
        if (stay.length === 0) assert.equal(left, null)
        else assert.deepEqual(resultOf(spec, left), best(stay, 2))
      }),
    )
  })

  it('of rows takes the one of equal content among equal ranks, and knows it without its class', () => {
    const spec = topNOfRowsSpec(2, by)
    const rows = ['a', 'b', 'c'].map((item) => ({ item, n: 1, at: 0 }))
    const left = spec.subtract?.(fold(spec, rows), { ...rows[1] }, 'k')
    assert.deepEqual(resultOf(spec, left), [rows[0], rows[2]])
    assert.equal(
      spec.subtract?.(fold(spec, rows.slice(0, 1)), Object.create({}, Object.getOwnPropertyDescriptors(rows[0])), 'k'),
      null,
    )
    assert.equal(spec.subtract?.(left, { item: 'd', n: 7, at: 0 }, 'k'), left)
  })
})

describe('aggregators over rows', () => {
  it('are null when the last row has left', () => {
    const spec = overRows(aggregatorSpec(avg((s: Sale) => s.n)))
    const [a, b] = [
      { item: 'a', n: 2, at: 0 },
      { item: 'b', n: 4, at: 0 },
    ] as const
    const both = fold(spec, [a, b], stored)
    assert.equal(resultOf(spec, both), 3)
    const one = spec.subtract?.(both, a, 'k')
    assert.equal(resultOf(spec, one), 4)
    assert.equal(spec.subtract?.(one, b, 'k'), null)
  })

  it('count stays at 0', () => assert.equal(countSpec.subtract?.(1), 0))
})

describe('compareKeys', () => {
  it('orders each type', () => {
    const ordered: readonly (readonly [OrderedKey, OrderedKey])[] = [
      [1, 2],
      [1n, 2n],
      ['B', 'a'],
      [false, true],
      [new Date(1), new Date(2)],
      [
        ['a', 2],
        ['b', 1],
      ],
      [['a'], ['a', 0]],
      [[], ['']],
    ]
    for (const [a, b] of ordered) {
      assert.ok(compareKeys(a, b) < 0 && compareKeys(b, a) > 0)
      assert.equal(compareKeys(a, structuredClone(a)), 0)
    }
  })
})
