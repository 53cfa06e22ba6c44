import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { AggregateSpec } from '../../../../src/dsl/plan/index.ts'
import { PaneAccess } from '../../../../src/engine/access/panes.ts'
import { PaneAggregate, paneMerge } from '../../../../src/engine/operators/aggregate/pane-aggregate.ts'
import { WindowAggregate } from '../../../../src/engine/operators/aggregate/window-aggregate.ts'
import { assigner } from '../../../../src/engine/time/assign.ts'
import type { WindowAssigner } from '../../../../src/engine/time/window-assigner.ts'
import type { PaneGrid } from '../../../../src/engine/time/panes.ts'
import { copyValue } from '../../../../src/state/codec/index.ts'
import { duePaneValues, tickedValues, type WindowTable } from '../../../../src/state/stores/index.ts'
import { appending, type Make, type Out, plain, Rig } from '../rig.ts'
import { close, every, letters, manyKeys, play, type Step, stepsOf } from '../steps.ts'
import { fixed, WindowModel } from './window-model.ts'

type InPanes = WindowAssigner & { readonly panes: PaneGrid }

interface Shape {
  readonly size: number
  readonly advance: number
  readonly offset: number
}

interface Case {
  readonly grace: number
  readonly bound: number
  readonly careful: boolean
  readonly cacheBytes: number
  /** Of ticks; none: on close. */
  readonly interval?: number
}

const hopping = ({ size, advance, offset }: Shape): InPanes =>
  assigner({ kind: 'hopping', size, advance, offset, grace: 0, clock: 'event' }) as InPanes

class Panes extends Rig {
  table!: WindowTable

  constructor(windows: InPanes, { grace, interval, ...options }: Case, spec = appending()) {
    const tables: WindowTable[] = []
    const make: Make = (ctx, stores) => {
      const table = stores.window('windows', interval === undefined ? undefined : duePaneValues)
      tables.push(table)
      return new PaneAggregate(3, 'windows', spec, windows, grace, interval, table, ctx)
    }
    super(make, options)
    Object.defineProperty(this, 'table', { get: () => tables.at(-1) })
  }
}

const usual: Case = { grace: 0, bound: 0, careful: false, cacheBytes: 1e9 }

const cases = fc.record({
  grace: fc.constantFrom(0, 3, 25),
  bound: fc.constantFrom(0, 4, 15),
  careful: fc.boolean(),
  cacheBytes: fc.constantFrom(0, 1e9),
})

const shapes: fc.Arbitrary<Shape> = fc
  .record({ size: fc.integer({ min: 2, max: 24 }), advance: fc.integer({ min: 1, max: 23 }), offset: fc.nat(9) })
  .map(({ size, advance, offset }) => ({ size, advance: Math.min(size - 1, advance), offset }))

/** Panes are merged by time, so that the order of a window's values is not that of their arrival. */
const sorted = (outs: readonly Out[]): unknown[] =>
  outs.map(({ value, ...out }) => ({ ...out, all: (value as { all: number[] }).all.toSorted((a, b) => a - b) }))

function compare(shape: Shape, one: Case, steps: Step[], from = 50): void {
  const rig = new Panes(hopping(shape), one)
  const { size, advance, offset } = shape
  const model = new WindowModel({
    windowsOf: fixed(size, advance, offset),
    grace: one.grace,
    emit: close,
    needsOld: false,
    bound: one.bound,
    vanishes: () => false,
  })
  play(
    steps,
    [rig],
    (key, value, ts) => {
      rig.send(key, value, ts)
      model.send(key, value, ts)
    },
    from,
  )
  rig.end()
  model.advance(Number.POSITIVE_INFINITY)
  assert.deepEqual(sorted(rig.outs), sorted(model.outs))
  assert.deepEqual(rig.lates, model.lates)
  rig.checkpoint()
  assert.equal(rig.storedRows, 0)
}

/** Ticks over panes show what ticks over windows show, in the same order. */
function compareTicks(shape: Shape, one: Case & { readonly interval: number }, steps: Step[], from = 50): void {
  const windows = hopping(shape)
  const panes = new Panes(windows, one)
  const { grace, interval, ...options } = one
  const byWindow = new Rig((ctx, stores) => {
    const table = stores.window('windows', tickedValues)
    return new WindowAggregate(3, 'windows', appending(), windows, grace, 0, every(interval), table, false, ctx)
  }, options)
  play(
    steps,
    [panes, byWindow],
    (key, value, ts) => {
      panes.send(key, value, ts)
      byWindow.send(key, value, ts)
    },
    from,
  )
  panes.end()
  byWindow.end()
  assert.deepEqual(sorted(panes.outs), sorted(byWindow.outs))
  assert.deepEqual(panes.lates, byWindow.lates)
  panes.checkpoint()
  assert.equal(panes.storedRows, 0)
}

const tickedCases = fc.tuple(cases, fc.constantFrom(1, 3, 7, 30, 100)).map(([one, interval]) => ({ ...one, interval }))

describe('PaneAggregate', () => {
  it('does what the model does', () => {
    fc.assert(fc.property(shapes, cases, stepsOf(letters, 80), fc.constantFrom(0, 50), compare), { numRuns: 500 })
  })

  it('does what the model does: more keys than the cache holds', () => {
    fc.assert(
      fc.property(cases, stepsOf(manyKeys, 400), (one, steps) =>
        compare({ size: 300, advance: 100, offset: 0 }, { ...one, cacheBytes: 0 }, steps),
      ),
      { numRuns: 40 },
    )
  })

  it('shows at ticks what windows kept each for itself show', () => {
    fc.assert(fc.property(shapes, tickedCases, stepsOf(letters, 80), fc.constantFrom(0, 50), compareTicks), {
      numRuns: 500,
    })
  })

  it('shows at ticks what windows kept each for itself show: more keys than the cache holds', () => {
    fc.assert(
      fc.property(tickedCases, stepsOf(manyKeys, 400), (one, steps) =>
        compareTicks({ size: 300, advance: 100, offset: 0 }, { ...one, cacheBytes: 0 }, steps),
      ),
      { numRuns: 40 },
    )
  })

  it('changes one row a record under ticks, and none at a tick', () => {
    const rig = new Panes(hopping({ size: 100, advance: 10, offset: 0 }), { ...usual, interval: 20 })
    for (let t = 0; t < 100; t++) rig.send('a', t, t)
    rig.checkpoint()
    const puts = (): number => {
      let n = 0
      rig.table.seal({ put: () => void n++, delete: () => {}, clearLater: () => {} })
      return n
    }
    rig.send('a', 100, 100)
    assert.equal(puts(), 1)
    const before = rig.outs.length
    rig.advance(139)
    assert.ok(rig.outs.length > before)
    assert.equal(puts(), 0)
  })

  it('skips the ticks of a long silence', () => {
    const rig = new Panes(hopping({ size: 20, advance: 10, offset: 0 }), { ...usual, interval: 1 })
    let fired = 0
    const { fire } = rig.op
    rig.op.fire = (at) => {
      fired++
      fire.call(rig.op, at)
    }
    rig.send('a', 1, 5)
    rig.send('a', 2, 1e12)
    rig.end()
    assert.ok(fired < 20, `fired ${fired} times`)
  })

  it('keeps a row a pane, and changes one of them a record', () => {
    const rig = new Panes(hopping({ size: 100, advance: 10, offset: 0 }), usual)
    for (let t = 0; t < 100; t++) rig.send('a', t, t)
    rig.checkpoint()
    assert.equal(rig.storedRows, 10)
    let puts = 0
    rig.send('a', 100, 99)
    for (const table of [rig.table]) table.seal({ put: () => void puts++, delete: () => {}, clearLater: () => {} })
    assert.equal(puts, 1)
  })

  it('merges a pane three times at most', () => {
    let merges = 0
    const counting: AggregateSpec = {
      kind: 'aggregate',
      init: () => 0,
      adders: [(sum: number, value: number) => sum + value],
      merge: (left: number, right: number) => {
        merges++
        return left + right
      },
      mergeable: true,
      pure: true,
    }
    const rig = new Panes(hopping({ size: 1000, advance: 1, offset: 0 }), usual, counting)
    for (let t = 0; t < 5000; t++) rig.send('a', 1, t)
    rig.end()
    assert.equal(rig.outs.length, 5000)
    assert.equal(rig.outs[2500]?.value, 1000)
    assert.ok(merges <= 3 * 5000, `${merges} merges of 5000 panes`)
  })

  it('leaves out what vanished from a pane', () => {
    const spec = appending({
      adders: [(state: { all: number[] }, value: number) => (value < 0 ? null : (state.all.push(value), state))],
    })
    const rig = new Panes(hopping({ size: 10, advance: 5, offset: 0 }), usual, spec)
    rig.send('a', 1, 0)
    rig.send('a', 2, 6)
    rig.send('a', -1, 7)
    rig.end()
    const rows = rig.outs.map(({ window, value }) => [...window, (value as { all: number[] }).all])
    assert.deepEqual(rows, [[0, 10, [1]]])
  })

  it('puts windows together for queries, until they are closed', () => {
    fc.assert(
      fc.property(shapes, cases, stepsOf(letters, 30), fc.integer({ min: 0, max: 300 }), (shape, one, steps, from) => {
        const windows = hopping(shape)
        const rig = new Panes(windows, one)
        const rows = new Map<string, number[]>()
        let w = Number.NEGATIVE_INFINITY
        const taken = (start: number, end: number): boolean => end + one.grace - 1 > w && start >= 0
        play(steps, [rig], (key, value, ts) => {
          for (const [start, end] of fixed(shape.size, shape.advance, shape.offset)(ts)) {
            const id = `${key} ${start} ${end}`
            if (taken(start, end)) rows.set(id, [...(rows.get(id) ?? []), value])
          }
          rig.send(key, value, ts)
          w = rig.clock.w
        })
        const access = new PaneAccess(rig.table, windows, paneMerge(appending(), copyValue, false), plain)
        const expected = [...rows]
          .map(([id, all]) => ({ key: id.split(' ')[0] as string, bounds: id.split(' ').slice(1).map(Number), all }))
          .filter(({ bounds: [start, end] }) => (start as number) >= from && (end as number) + one.grace - 1 > w)
          .sort((a, b) => (a.bounds[0] as number) - (b.bounds[0] as number) || (a.key < b.key ? -1 : 1))
          .map(({ key, bounds: [start, end], all }) => [{ key, window: { start, end } }, all.toSorted((a, b) => a - b)])
        const shown = (found: Iterable<readonly [unknown, unknown]>) =>
          Array.from(found, ([key, value]) => [key, (value as { all: number[] }).all.toSorted((a, b) => a - b)])
        assert.deepEqual(shown(access.fetchAll(from, 1e9)), expected)
        const own = expected.filter(([row]) => (row as { key: string }).key === 'a')
        assert.deepEqual(shown(access.fetch('a', from, 1e9)), own)
        for (const [row, all] of own) {
          const value = access.get('a', (row as { window: { start: number } }).window.start)
          assert.deepEqual(
            (value as { all: number[] }).all.toSorted((a, b) => a - b),
            all,
          )
        }
      }),
      { numRuns: 200 },
    )
  })
})
