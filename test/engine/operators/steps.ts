import * as fc from 'fast-check'
import type { EmitSpec } from '../../../src/dsl/plan/index.ts'
import type { Rig } from './rig.ts'

export const update: EmitSpec = { mode: 'update' }
export const close: EmitSpec = { mode: 'close' }
export const onTime: EmitSpec = { mode: 'onTime' }
export const every = (interval: number): EmitSpec => ({ mode: 'every', interval, clock: 'event' })

export type Step =
  | { readonly key: string; readonly forth: number; readonly back: number }
  | 'restart'
  | 'seal'
  | 'write'
  | 'jump'

/** Input that is out of order and at times late, with checkpoints and restarts in between. Times count units of `unit` ms. */
export const stepsOf = (keys: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 16,
        arbitrary: fc.record({
          key: keys,
          forth: fc.integer({ min: 0, max: 9 }),
          back: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })),
        }),
      },
      { weight: 3, arbitrary: fc.constantFrom<Step>('restart', 'seal', 'write', 'jump') },
    ),
    { maxLength, size: 'max' },
  )

/** Plays steps: `send` gets the position of the record as its value. */
export function play(
  steps: readonly Step[],
  rigs: readonly Rig[],
  send: (key: string, value: number, ts: number) => void,
  from = 50,
  unit = 1,
): void {
  let now = 0
  for (const [i, step] of steps.entries()) {
    if (step === 'jump') now += 200
    else if (step === 'restart') for (const rig of rigs) rig.restart()
    else if (step === 'seal') for (const rig of rigs) rig.seal()
    else if (step === 'write') for (const rig of rigs) rig.write()
    else {
      now += step.forth
      send(step.key, i, Math.max(0, from + (now - step.back) * unit))
    }
  }
}

export const letters = fc.constantFrom('a', 'b', 'c', 'd')
/** More than the smallest cache holds. */
export const manyKeys = fc.integer({ min: 0, max: 200 }).map((i) => `k${i}`)
