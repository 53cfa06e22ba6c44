import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { play, runs } from './arbitraries.ts'
import { MUTANTS, type Mutant } from './mutants.ts'
import { SCHEDULES } from './schedules.ts'
import { Deadlock } from './world.ts'

/** A wrong result or a standstill; a simulator that trips over itself is no proof of anything. */
const isVerdict = (error: unknown): boolean => error instanceof assert.AssertionError || error instanceof Deadlock

function fails(run: () => void): boolean {
  try {
    run()
    return false
  } catch (error) {
    return isVerdict(error)
  }
}

/** Random runs find it: by the invariants, or (`invariants` false) by the committed output alone. */
function isFound(mutant: Mutant, invariants: boolean): boolean {
  const property = fc.property(runs(mutant === 'endIgnoresIdle'), (run) => {
    play(run, { mutant, invariants })
  })
  const { failed, errorInstance } = fc.check(property, { numRuns: 4000, seed: 1, endOnFailure: true })
  return failed && isVerdict(errorInstance)
}

/** Too rare for random schedules: a named one shows it. */
const RARE: ReadonlySet<Mutant> = new Set(['stalePrefetch'])
/** Seen in what is committed, not in what comes out of it unless a schedule aims at it. */
const INWARD: ReadonlySet<Mutant> = new Set(['controlIgnoresEpoch'])

describe('proof: epochs, the proof can fail', () => {
  for (const mutant of Object.keys(MUTANTS) as Mutant[]) {
    it(`${mutant}: ${MUTANTS[mutant]}`, () => {
      if (!RARE.has(mutant)) assert.ok(isFound(mutant, true), 'no random schedule breaks an invariant')
      if (!RARE.has(mutant) && !INWARD.has(mutant)) {
        assert.ok(isFound(mutant, false), 'no random schedule shows it in the committed output')
      }
      if (RARE.has(mutant) || INWARD.has(mutant)) {
        assert.ok(
          Object.values(SCHEDULES).some((run) => fails(() => run(mutant))),
          'no dangerous schedule shows it',
        )
      }
    })
  }
})
