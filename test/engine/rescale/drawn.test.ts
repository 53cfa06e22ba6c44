import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { assertJourney } from './journey.ts'
import { cases } from './topologies.ts'
import { records } from './world.ts'

const leg = fc.record({ partitions: fc.integer({ min: 1, max: 5 }), disk: fc.boolean(), until: fc.nat(120) })
const journey = fc.record({
  name: fc.constantFrom(...Object.keys(cases).filter((name) => cases[name]?.first === undefined)),
  seed: fc.nat(1_000_000),
  legs: fc.array(leg, { minLength: 1, maxLength: 3 }).map((all) => all.toSorted((a, b) => a.until - b.until)),
  last: leg,
})

describe('a job that goes on from savepoints, wherever and whenever they were made', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dhaara-drawn-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('gives the rows of one that was never stopped', async () => {
    await fc.assert(
      fc.asyncProperty(journey, ({ name, seed, legs, last }) =>
        assertJourney(cases[name]!, (input) => records(seed + 7 * input), [...legs, { ...last, until: 120 }], folder),
      ),
      { numRuns: Number(process.env['RUNS'] ?? 25), interruptAfterTimeLimit: 100_000 },
    )
  }).timeout(120_000)
})
