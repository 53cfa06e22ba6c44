import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { EmitSpec } from '../../../../src/dsl/plan/index.ts'
import { cellSpan } from '../../../../src/engine/operators/aggregate/cell-aggregate.ts'
import { CountAggregate } from '../../../../src/engine/operators/aggregate/count-aggregate.ts'
import { appending, type Make, type Out, Rig } from '../rig.ts'
import { every, letters, play, stepsOf, update } from '../steps.ts'

const making =
  (records: number, emit: EmitSpec = update, needsOld = false): Make =>
  (ctx, stores) =>
    new CountAggregate(3, 'windows', appending(), records, emit, stores.cells('w', cellSpan(100)), needsOld, ctx)

const show = ({ key, window: [start, end], value }: Out): string =>
  `${key}[${start},${end}) ${(value as { all: number[] }).all.join(',')}`

describe('CountAggregate', () => {
  it('begins a window with every nth record of a key, whatever their times', () => {
    const rig = new Rig(making(2))
    for (const [i, ts] of [50, 10, 99].entries()) rig.send('a', i, ts)
    rig.send('b', 3, 0)
    assert.deepEqual(rig.outs.map(show), ['a[0,2) 0', 'a[0,2) 0,1', 'a[2,4) 2', 'b[0,2) 3'])
    assert.deepEqual(
      rig.outs.map(({ ts }) => ts),
      [50, 50, 99, 0],
    )
  })

  it('shows under `every` what has changed, full windows and the last one', () => {
    const rig = new Rig(making(2, every(10)))
    for (const [i, ts] of [1, 2, 3].entries()) rig.send('a', i, ts)
    assert.deepEqual(rig.outs, [])
    rig.send('a', 3, 25)
    rig.end()
    assert.deepEqual(rig.outs.map(show), ['a[0,2) 0,1', 'a[2,4) 2,3'])
  })

  it('counts on over restarts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.boolean(), stepsOf(letters, 60), (n, needsOld, steps) => {
        const rig = new Rig(making(n, update, needsOld), { cacheBytes: 0, careful: needsOld })
        const expected: Out[] = []
        const sent = new Map<string, { value: number; ts: number }[]>()
        play(steps, [rig], (key, value, ts) => {
          rig.send(key, value, ts)
          const all = sent.get(key) ?? []
          sent.set(key, all)
          const start = Math.floor(all.length / n) * n
          const before = all.slice(start)
          all.push({ value, ts })
          const window = all.slice(start)
          const states = (of: readonly { value: number }[]) => ({ all: of.map((one) => one.value) })
          expected.push({
            key,
            window: [start, start + n],
            value: states(window),
            old: needsOld && before.length > 0 ? states(before) : undefined,
            ts: Math.max(...window.map((one) => one.ts)),
          })
        })
        assert.deepEqual(rig.outs, expected)
      }),
      { numRuns: 200 },
    )
  })
})
