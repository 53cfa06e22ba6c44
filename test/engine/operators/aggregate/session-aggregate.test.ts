import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { AggregateSpec, EmitSpec } from '../../../../src/dsl/plan/index.ts'
import { SessionAggregate, sessionSpan } from '../../../../src/engine/operators/aggregate/session-aggregate.ts'
import { appending, type Make, type Out, Rig } from '../rig.ts'
import { SessionModel } from './session-model.ts'
import { close, every, letters, onTime, play, stepsOf, update } from '../steps.ts'

interface Setup {
  readonly gap?: number | ((value: number) => number | string)
  readonly grace?: number
  readonly retention?: number
  readonly emit?: EmitSpec
  readonly needsOld?: boolean
  readonly spec?: AggregateSpec
}

const making =
  ({ gap = 5, grace = 0, retention = 0, emit = update, needsOld = false, spec = appending() }: Setup): Make =>
  (ctx, stores) =>
    new SessionAggregate(
      3,
      'sessions',
      spec,
      gap,
      grace,
      retention,
      emit,
      stores.session('sessions', sessionSpan(gap, grace)),
      needsOld,
      ctx,
    )

const show = ({ key, window: [start, end], value }: Out): string =>
  `${key}[${start},${end}] ${value === null ? 'gone' : (value as { all: number[] }).all.join('')}`
const rowsOf = (rig: Rig): string[] => rig.outs.map(show)

describe('SessionAggregate', () => {
  it('takes in what is at most a gap away, and closes when W is a gap past the last', () => {
    const rig = new Rig(making({ emit: close }))
    rig.send('a', 1, 10)
    rig.send('a', 2, 15)
    rig.send('a', 3, 21)
    assert.deepEqual(rowsOf(rig), ['a[10,15] 12'])
    rig.advance(25)
    assert.equal(rig.outs.length, 1)
    rig.advance(26)
    assert.deepEqual(rowsOf(rig).slice(1), ['a[21,21] 3'])
  })

  it('takes back the rows of sessions that a late record joins', () => {
    const rig = new Rig(making({ grace: 100 }))
    rig.send('a', 1, 10)
    rig.send('a', 2, 18)
    rig.send('a', 3, 14)
    assert.deepEqual(rowsOf(rig), ['a[10,10] 1', 'a[18,18] 2', 'a[10,10] gone', 'a[18,18] gone', 'a[10,18] 123'])
    assert.deepEqual(
      rig.outs.map(({ ts }) => ts),
      [10, 18, 10, 18, 18],
    )
  })

  it('judges lateness on the session that a record ends up in', () => {
    const rig = new Rig(making({ grace: 2 }))
    rig.send('a', 1, 20)
    rig.send('b', 2, 26)
    rig.send('a', 3, 18)
    rig.send('b', 4, 19)
    rig.send('c', 5, 18)
    assert.deepEqual(rig.lates, [['c', 5, 18]])
    assert.equal(rig.dropped.late?.n, 1)
    assert.deepEqual(rowsOf(rig), ['a[20,20] 1', 'b[26,26] 2', 'a[20,20] gone', 'a[18,20] 13', 'b[19,19] 4'])
  })

  it('shows sessions on time, then each change', () => {
    const rig = new Rig(making({ emit: onTime, grace: 10 }))
    rig.send('a', 1, 10)
    rig.send('a', 2, 12)
    rig.send('b', 3, 18)
    assert.deepEqual(rowsOf(rig), ['a[10,12] 12'])
    rig.send('a', 4, 11)
    assert.deepEqual(rowsOf(rig).slice(1), ['a[10,12] 124'])
    rig.send('a', 5, 17)
    assert.equal(rig.outs.length, 2)
    rig.advance(22)
    assert.deepEqual(rowsOf(rig).slice(2), ['a[10,12] gone', 'a[10,17] 1245'])
  })

  it('shows what changed at ticks, without a time in between in which nothing is shown', () => {
    const rig = new Rig(making({ emit: every(10), gap: 8 }))
    rig.send('b', 1, 4)
    rig.send('a', 2, 6)
    rig.send('a', 3, 10)
    assert.deepEqual(rowsOf(rig), ['b[4,4] 1', 'a[6,10] 23'])
    rig.send('a', 4, 15)
    assert.equal(rig.outs.length, 2)
    rig.send('a', 5, 20)
    assert.deepEqual(rowsOf(rig).slice(2), ['a[6,10] gone', 'a[6,20] 2345'])
    rig.send('a', 6, 24)
    rig.end()
    assert.deepEqual(rowsOf(rig).slice(4), ['a[6,20] gone', 'a[6,24] 23456'])
  })

  it('closes sessions of one time in the order of start and key', () => {
    const rig = new Rig(making({ emit: close, gap: 5, grace: 20 }))
    for (const [key, ts] of [
      ['z', 10],
      ['b', 12],
      ['c', 9],
      ['c', 12],
      ['a', 12],
    ] as const)
      rig.send(key, 1, ts)
    rig.end()
    assert.deepEqual(rowsOf(rig), ['z[10,10] 1', 'c[9,12] 11', 'a[12,12] 1', 'b[12,12] 1'])
  })

  it('merges counts by addition, reduces by their own function', () => {
    const count: AggregateSpec = { kind: 'count', adders: [], mergeable: true, pure: true }
    const most: AggregateSpec = {
      kind: 'reduce',
      adders: [(a: number, b: number) => Math.max(a, b)],
      mergeable: true,
      pure: true,
    }
    for (const [spec, expected] of [
      [count, 3],
      [most, 9],
    ] as const) {
      const rig = new Rig(making({ emit: close, grace: 100, spec }))
      rig.send('a', 9, 10)
      rig.send('a', 2, 20)
      rig.send('a', 3, 15)
      rig.end()
      assert.deepEqual(rig.outs[0]?.value, expected)
    }
  })

  it('drops a session whose aggregate vanishes, and takes its row back', () => {
    const spec = appending({ adders: [(state: object, value: number) => (value === 0 ? null : state)] })
    const rig = new Rig(making({ spec, needsOld: true }))
    rig.send('a', 1, 10)
    rig.send('a', 0, 12)
    rig.send('a', 1, 14)
    assert.deepEqual(
      rig.outs.map(({ window, value, ts }) => [...window, value !== null, ts]),
      [
        [10, 10, true, 10],
        [10, 10, false, 12],
        [14, 14, true, 14],
      ],
    )
  })

  it('leaves a session as it was when a merge fails half-way, where it is careful', () => {
    const spec = appending({
      merge: (left: { all: number[] }) => {
        left.all.push(99)
        throw new Error('half-way')
      },
    })
    const rig = new Rig(making({ spec, emit: close, grace: 100 }), { careful: true })
    rig.send('a', 1, 10)
    rig.send('a', 2, 20)
    assert.throws(() => rig.op.process('a', 3, 15, 0), /half-way/)
    rig.end()
    assert.deepEqual(rowsOf(rig), ['a[10,10] 1', 'a[20,20] 2'])
  })

  it('keeps closed sessions for queries until their retention is over, and they change no result', () => {
    const rig = new Rig(making({ emit: close, gap: 5, retention: 20 }))
    rig.send('a', 1, 10)
    rig.send('b', 2, 16)
    rig.send('a', 3, 14)
    rig.checkpoint()
    assert.deepEqual(rowsOf(rig), ['a[10,10] 1'])
    rig.restart()
    rig.advance(34)
    rig.checkpoint()
    const before = rig.storedRows
    rig.advance(60)
    rig.checkpoint()
    assert.deepEqual(rowsOf(rig), ['a[10,10] 1', 'a[14,14] 3', 'b[16,16] 2'])
    assert.ok(before > 0)
    assert.equal(rig.storedRows, 0)
  })

  it('expires nothing at the end of input', () => {
    const rig = new Rig(making({ emit: close, retention: 20 }))
    rig.send('a', 1, 10)
    rig.end()
    rig.checkpoint()
    assert.equal(rig.outs.length, 1)
    assert.equal(rig.storedRows, 1)
  })

  it('reads no timers of later times, and leaves nothing behind', () => {
    const rig = new Rig(making({ emit: close, gap: 1000 }))
    for (let i = 0; i < 500; i++) rig.send(`k${i}`, i, i * 100)
    rig.restart()
    for (let i = 500; i < 1000; i++) rig.send(`k${i}`, i, i * 100)
    rig.end()
    rig.checkpoint()
    assert.equal(rig.outs.length, 1000)
    assert.equal(rig.storedRows, 0)
  })

  const setup = fc.record({
    gap: fc.integer({ min: 1, max: 12 }),
    own: fc.boolean(),
    grace: fc.constantFrom(0, 3, 25),
    bound: fc.constantFrom(0, 4, 15),
    retention: fc.constantFrom(0, 0, 30),
    emit: fc.constantFrom(update, close, onTime, every(7), every(30)),
    needsOld: fc.boolean(),
    careful: fc.boolean(),
    cacheBytes: fc.constantFrom(0, 1e9),
  })

  it('does what the model does, on out-of-order input, over restarts', () => {
    fc.assert(
      fc.property(
        setup,
        stepsOf(letters, 80),
        ({ gap, own, grace, bound, retention, emit, needsOld, careful, cacheBytes }, input) => {
          const gapOf = (value: number) => (own ? 1 + ((value * 7) % gap) : gap)
          const rig = new Rig(making({ gap: own ? gapOf : gap, grace, retention, emit, needsOld }), {
            bound,
            careful,
            cacheBytes,
          })
          const model = new SessionModel(grace, emit, needsOld, bound)
          play(input, [rig], (key, value, ts) => {
            rig.send(key, value, ts)
            model.send(key, value, ts, gapOf(value))
          })
          rig.end()
          model.advance(Number.POSITIVE_INFINITY)
          assert.deepEqual(rig.outs, model.outs)
          assert.deepEqual(rig.lates, model.lates)
          rig.checkpoint()
          if (retention === 0) assert.equal(rig.storedRows, 0)
        },
      ),
      { numRuns: 600 },
    )
  })
})
