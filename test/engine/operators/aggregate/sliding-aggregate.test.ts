import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { AggregateSpec, EmitSpec } from '../../../../src/dsl/plan/index.ts'
import { cellSpan } from '../../../../src/engine/operators/aggregate/cell-aggregate.ts'
import { SlidingAggregate } from '../../../../src/engine/operators/aggregate/sliding-aggregate.ts'
import { appending, type Make, type Out, Rig } from '../rig.ts'
import { SlidingModel } from './sliding-model.ts'
import { close, every, letters, manyKeys, onTime, play, type Step, stepsOf, update } from '../steps.ts'

interface Setup {
  readonly d: number
  readonly grace?: number
  readonly retention?: number
  readonly emit?: EmitSpec
  readonly needsOld?: boolean
  readonly spec?: AggregateSpec
}

const making =
  ({ d, grace = 0, retention = 0, emit = update, needsOld = false, spec = appending() }: Setup): Make =>
  (ctx, stores) => {
    const windows = { difference: d, grace }
    const table = stores.cells('windows', cellSpan(d + grace))
    return new SlidingAggregate(3, 'windows', spec, windows, retention, emit, table, needsOld, ctx)
  }

const show = ({ key, window: [start, end], value }: Out): string =>
  `${key}[${start},${end}] ${value === null ? 'gone' : (value as { all: number[] }).all.join('')}`
const rowsOf = (rig: Rig): string[] => rig.outs.map(show)

const vanishing = (value: number): boolean => value % 5 === 4
const vanishes = appending({
  adders: [
    (state: { all: number[] }, value: number) => {
      if (vanishing(value)) return null
      state.all.push(value)
      return state
    },
  ],
})

interface Case {
  readonly d: number
  readonly grace: number
  readonly bound: number
  readonly retention: number
  readonly emit: EmitSpec
  readonly needsOld: boolean
  readonly careful: boolean
  readonly cacheBytes: number
  readonly from: number
}

const cases: fc.Arbitrary<Case> = fc.record({
  d: fc.constantFrom(0, 1, 6, 20),
  grace: fc.constantFrom(0, 3, 25),
  bound: fc.constantFrom(0, 4, 15),
  retention: fc.constantFrom(0, 0, 50),
  emit: fc.constantFrom(update, close, onTime, every(7), every(30)),
  needsOld: fc.boolean(),
  careful: fc.boolean(),
  cacheBytes: fc.constantFrom(0, 1e9),
  from: fc.constantFrom(0, 50),
})

function compare(one: Case, steps: Step[]): void {
  const { d, grace, bound, retention, emit, needsOld, careful, cacheBytes, from } = one
  const rig = new Rig(making({ d, grace, retention, emit, needsOld, spec: vanishes }), { bound, careful, cacheBytes })
  const model = new SlidingModel({ d, grace, emit, needsOld, bound, vanishes: vanishing })
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
  assert.deepEqual(rig.outs, model.outs)
  assert.deepEqual(rig.lates, model.lates)
  rig.checkpoint()
  if (retention === 0) assert.equal(rig.storedRows, 0)
}

describe('SlidingAggregate', () => {
  it('has a window that ends with each record, and one behind it', () => {
    const rig = new Rig(making({ d: 4 }))
    rig.send('k', 1, 2)
    rig.send('k', 2, 4)
    rig.send('k', 3, 9)
    assert.deepEqual(rowsOf(rig), ['k[0,4] 1', 'k[0,4] 12', 'k[3,7] 2', 'k[5,9] 3'])
  })

  it('makes the windows that a late record opens from those that are there', () => {
    const rig = new Rig(making({ d: 4, grace: 100 }))
    rig.send('k', 1, 20)
    rig.send('k', 2, 24)
    rig.outs.length = 0
    rig.send('k', 3, 22)
    assert.deepEqual(rowsOf(rig), ['k[18,22] 13', 'k[20,24] 123', 'k[21,25] 23', 'k[23,27] 2'])
  })

  it('closes a window when W has passed its last record and the grace', () => {
    const rig = new Rig(making({ d: 10, grace: 5, emit: close }))
    rig.send('k', 1, 10)
    rig.send('k', 2, 15)
    assert.deepEqual(rowsOf(rig), [])
    rig.send('k', 3, 30)
    assert.deepEqual(rowsOf(rig), ['k[0,10] 1', 'k[5,15] 12', 'k[11,21] 2'])
  })

  it('does what the definition says', () => {
    fc.assert(fc.property(cases, stepsOf(letters, 60), compare), { numRuns: 500 })
  })

  it('does what the definition says: more keys than the cache holds', () => {
    fc.assert(
      fc.property(cases, stepsOf(manyKeys, 200), (one, steps) => compare({ ...one, cacheBytes: 0 }, steps)),
      { numRuns: 30 },
    )
  })
})
