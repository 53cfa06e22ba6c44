import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { AggregateSpec, EmitSpec } from '../../../../src/dsl/plan/index.ts'
import { WindowAggregate } from '../../../../src/engine/operators/aggregate/window-aggregate.ts'
import { assigner } from '../../../../src/engine/time/assign.ts'
import type { WindowAssigner } from '../../../../src/engine/time/window-assigner.ts'
import { tickedValues } from '../../../../src/state/stores/index.ts'
import { appending, type Make, type Out, Rig } from '../rig.ts'
import { close, every, letters, manyKeys, onTime, play, type Step, stepsOf, update } from '../steps.ts'
import { days, fixed, growing, WindowModel, type WindowsOf } from './window-model.ts'

interface Setup {
  readonly windows: WindowAssigner
  readonly grace?: number
  readonly retention?: number
  readonly emit?: EmitSpec
  readonly needsOld?: boolean
  readonly spec?: AggregateSpec
}

const making =
  ({ windows, grace = 0, retention = 0, emit = update, needsOld = false, spec = appending() }: Setup): Make =>
  (ctx, stores) => {
    const table = stores.window('windows', emit.mode === 'every' ? tickedValues : undefined)
    return new WindowAggregate(3, 'windows', spec, windows, grace, retention, emit, table, needsOld, ctx)
  }

const hopping = (size: number, advance: number, offset = 0): WindowAssigner =>
  assigner({ kind: 'hopping', size, advance, offset, grace: 0, clock: 'event' })
const dayIn = (timeZone: string): WindowAssigner =>
  assigner({
    kind: 'tumbling',
    size: { count: 1, unit: 'd' },
    advance: { count: 1, unit: 'd' },
    offset: 0,
    timeZone,
    grace: 0,
    clock: 'event',
  })

const show = ({ key, window: [start, end], value }: Out): string =>
  `${key}[${start},${end}) ${value === null ? 'gone' : (value as { all: number[] }).all.join('')}`
const rowsOf = (rig: Rig): string[] => rig.outs.map(show)

const vanishing = (value: number): boolean => value % 5 === 4
const spec = appending({
  adders: [
    (state: { all: number[] }, value: number) => {
      if (value % 5 === 4) return null
      state.all.push(value)
      return state
    },
  ],
})

interface Case {
  readonly grace: number
  readonly bound: number
  readonly retention: number
  readonly emit: EmitSpec
  readonly needsOld: boolean
  readonly careful: boolean
  readonly cacheBytes: number
}

const cases = (unit = 1): fc.Arbitrary<Case> =>
  fc.record({
    grace: fc.constantFrom(0, 3 * unit, 25 * unit),
    bound: fc.constantFrom(0, 4 * unit, 15 * unit),
    retention: fc.constantFrom(0, 0, 30 * unit),
    emit: fc.constantFrom(update, close, onTime, every(7 * unit), every(30 * unit)),
    needsOld: fc.boolean(),
    careful: fc.boolean(),
    cacheBytes: fc.constantFrom(0, 1e9),
  })

/** The operator and the model see the same; then they say the same. */
function compare(windows: WindowAssigner, windowsOf: WindowsOf, one: Case, steps: Step[], from = 50, unit = 1): void {
  const { grace, bound, retention, emit, needsOld, careful, cacheBytes } = one
  const rig = new Rig(making({ windows, grace, retention, emit, needsOld, spec }), { bound, careful, cacheBytes })
  const model = new WindowModel({ windowsOf, grace, emit, needsOld, bound, vanishes: vanishing })
  play(
    steps,
    [rig],
    (key, value, ts) => {
      rig.send(key, value, ts)
      model.send(key, value, ts)
    },
    from,
    unit,
  )
  rig.end()
  model.advance(Number.POSITIVE_INFINITY)
  assert.deepEqual(rig.outs, model.outs)
  assert.deepEqual(rig.lates, model.lates)
  rig.checkpoint()
  if (retention === 0) assert.equal(rig.storedRows, 0)
}

describe('WindowAggregate', () => {
  it('closes windows when W reaches the end and the grace, in the order of (close, start, key)', () => {
    const rig = new Rig(making({ windows: hopping(10, 5), grace: 2, emit: close }))
    rig.send('b', 1, 6)
    rig.send('a', 2, 7)
    rig.send('a', 3, 12)
    assert.deepEqual(rowsOf(rig), ['a[0,10) 2', 'b[0,10) 1'])
    rig.end()
    assert.deepEqual(rowsOf(rig).slice(2), ['a[5,15) 23', 'b[5,15) 1', 'a[10,20) 3'])
  })

  it('drops a record from the windows that are closed, and hands it to `late` if all are', () => {
    const rig = new Rig(making({ windows: hopping(10, 5), emit: close }))
    rig.send('a', 1, 12)
    rig.send('a', 2, 8)
    rig.send('a', 3, 4)
    assert.deepEqual(rig.lates, [['a', 3, 4]])
    rig.end()
    assert.deepEqual(rowsOf(rig), ['a[5,15) 12', 'a[10,20) 1'])
  })

  it('cuts the first window at 0 where windows have an offset', () => {
    const rig = new Rig(making({ windows: hopping(10, 10, 3), emit: close }))
    for (const t of [0, 2, 3, 12, 13]) rig.send('a', t % 10, t)
    rig.end()
    assert.deepEqual(rowsOf(rig), ['a[0,3) 02', 'a[3,13) 32', 'a[13,23) 3'])
  })

  it('skips the ticks of a long silence', () => {
    const rig = new Rig(making({ windows: hopping(10, 10), emit: every(1) }))
    const asked: number[] = []
    const { fire } = rig.op
    rig.op.fire = (at) => {
      asked.push(at)
      fire.call(rig.op, at)
    }
    rig.send('a', 1, 5)
    rig.send('a', 2, 1e12)
    rig.end()
    assert.equal(rig.outs.length, 2)
    assert.ok(asked.length < 10, `fired at ${asked.length} times`)
  })

  it('keeps closed windows for queries until their retention is over', () => {
    const rig = new Rig(making({ windows: hopping(10, 10), retention: 20, emit: close }))
    rig.send('a', 1, 5)
    rig.send('a', 2, 25)
    rig.restart()
    assert.equal(rig.storedRows, 2)
    rig.advance(29)
    rig.checkpoint()
    assert.equal(rig.storedRows, 1)
    rig.end()
    rig.checkpoint()
    assert.equal(rig.storedRows, 1)
  })

  it('does what the model does: tumbling and hopping windows', () => {
    const shapes = fc
      .record({ size: fc.integer({ min: 1, max: 20 }), advance: fc.integer({ min: 1, max: 20 }), offset: fc.nat(9) })
      .map(({ size, advance, offset }) => ({ size, advance: Math.min(size, advance), offset }))
    fc.assert(
      fc.property(
        shapes,
        cases(),
        stepsOf(letters, 80),
        fc.constantFrom(0, 50),
        ({ size, advance, offset }, one, steps, from) =>
          compare(hopping(size, advance, offset), fixed(size, advance, offset), one, steps, from),
      ),
      { numRuns: 500 },
    )
  })

  it('does what the model does: cumulative windows', () => {
    const shapes = fc.record({
      step: fc.integer({ min: 1, max: 8 }),
      steps: fc.integer({ min: 1, max: 5 }),
      offset: fc.nat(9),
    })
    fc.assert(
      fc.property(
        shapes,
        cases(),
        stepsOf(letters, 60),
        fc.constantFrom(0, 50),
        ({ step, steps, offset }, one, input, from) =>
          compare(
            assigner({ kind: 'cumulative', max: step * steps, step, offset, grace: 0, clock: 'event' }),
            growing(step * steps, step, offset),
            one,
            input,
            from,
          ),
      ),
      { numRuns: 300 },
    )
  })

  it('grows through days of 23 and 25 hours', () => {
    const hour = 3_600_000
    const assign = assigner({
      kind: 'cumulative',
      max: { count: 1, unit: 'd' },
      step: 6 * hour,
      offset: 0,
      timeZone: 'Europe/Berlin',
      grace: 0,
      clock: 'event',
    })
    for (const [day, lengths] of [
      ['2024-03-30T23:00:00Z', [6, 12, 18, 23]],
      ['2024-10-26T22:00:00Z', [6, 12, 18, 24, 25]],
    ] as const) {
      const start = Date.parse(day)
      const found: number[] = []
      for (let at = assign.lastStart(start); at >= 0; at = assign.previous(at)) {
        assert.equal(assign.startOf(at), start)
        found.unshift((assign.endOf(at) - start) / hour)
      }
      assert.deepEqual(found, lengths)
    }
  })

  it('never closes the one window without an end', () => {
    const rig = new Rig(making({ windows: assigner({ kind: 'unlimited' }), emit: every(10) }))
    rig.send('a', 1, 5)
    rig.send('a', 2, 1000)
    rig.restart()
    rig.send('a', 3, 7)
    rig.end()
    const ends = rig.outs.map(({ window, value }) => [window, (value as { all: number[] }).all.join('')])
    assert.deepEqual(ends, [
      [[0, Number.POSITIVE_INFINITY], '12'],
      [[0, Number.POSITIVE_INFINITY], '123'],
    ])
  })

  it('does what the model does: more keys than the cache holds', () => {
    fc.assert(
      fc.property(cases(), stepsOf(manyKeys, 400), (one, steps) =>
        compare(hopping(800, 400), fixed(800, 400, 0), { ...one, cacheBytes: 0 }, steps),
      ),
      { numRuns: 40 },
    )
  })

  const hour = 3_600_000
  for (const [timeZone, from] of [
    ['America/New_York', '2024-03-09T00:00:00Z'],
    ['America/New_York', '2024-11-02T00:00:00Z'],
    ['Asia/Beirut', '2024-03-30T00:00:00Z'],
    ['Asia/Kolkata', '2024-06-01T00:00:00Z'],
  ] as const) {
    it(`does what the model does: days in ${timeZone} from ${from.slice(0, 10)}`, () => {
      fc.assert(
        fc.property(cases(hour), stepsOf(letters, 40), (one, steps) =>
          compare(dayIn(timeZone), days(timeZone), one, steps, Date.parse(from), hour),
        ),
        { numRuns: 25 },
      )
    })
  }
})
