import * as fc from 'fast-check'
import { play, runs } from './arbitraries.ts'
import type { Step } from './world.ts'

const FAULTS: readonly (readonly [Step, number])[] = [
  ['crash', 0],
  ['crash', 1],
  ['die', 0],
  ['die', 1],
]

describe('proof: epochs, a fault at every step', () => {
  for (const idle of [false, true]) {
    it(`ends well wherever the fault strikes${idle ? ', with idle sources' : ''}`, () => {
      const long = fc.sample(runs(idle), { numRuns: 60, seed: 26 }).filter(({ schedule }) => schedule.length > 80)
      for (const { setup, schedule } of long.slice(0, 4)) {
        for (let at = 0; at <= schedule.length; at++) {
          for (const fault of FAULTS) {
            const all = [...schedule.slice(0, at), fault, ...schedule.slice(at)]
            play({ setup, schedule: all }, { invariants: true })
          }
        }
      }
    })
  }
})
