import * as fc from 'fast-check'
import { play, runs } from './arbitraries.ts'

describe('proof: epochs, random schedules', () => {
  it('commits each record once, whoever steps when and whatever fails', () => {
    fc.assert(
      fc.property(runs(false), (run) => {
        play(run, { invariants: true })
      }),
      { numRuns: 1500 },
    )
  })

  it('does so with sources that fall idle by the wall clock', () => {
    fc.assert(
      fc.property(runs(true), (run) => {
        play(run, { invariants: true })
      }),
      { numRuns: 1000 },
    )
  })
})
