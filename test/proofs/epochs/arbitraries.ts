import * as fc from 'fast-check'
import { checkOutcome } from './oracle.ts'
import type { Setup, SourceRecord } from './types.ts'
import { type Step, World } from './world.ts'

/** A random run: what is built, and who steps when. */
export interface Run {
  readonly setup: Omit<Setup, 'mutant' | 'invariants'>
  readonly schedule: readonly (readonly [Step, number])[]
}

const weighted = (weights: Partial<Record<Step, number>>): fc.Arbitrary<Step> =>
  fc.oneof(...Object.entries(weights).map(([step, weight]) => ({ weight, arbitrary: fc.constant(step as Step) })))

const calm = {
  open: 4,
  deliver: 4,
  receive: 12,
  apply: 12,
  read: 10,
  announce: 3,
  report: 6,
  beginWrite: 4,
  finishWrite: 4,
}
const memory = { evict: 3, prefetch: 2, prefetched: 2 }

const source: fc.Arbitrary<{ step: number; key: string }[]> = fc.array(
  fc.record({ step: fc.nat(6), key: fc.constantFrom('a', 'b', 'c', 'd') }),
  { minLength: 1, maxLength: 7 },
)

const sources = (partitions: number): fc.Arbitrary<SourceRecord[][]> =>
  fc.array(source, { minLength: partitions, maxLength: partitions }).map((all) =>
    all.map((records, partition) => {
      let ts = 0
      return records.map(({ step, key }, i) => {
        ts += step
        return { ts, key, id: partition * 100 + i }
      })
    }),
  )

const setup: fc.Arbitrary<Run['setup']> = fc
  .record({ workers: fc.integer({ min: 1, max: 3 }), partitions: fc.integer({ min: 2, max: 3 }) })
  .chain(({ workers, partitions }) =>
    fc.record({
      workers: fc.constant(Math.min(workers, partitions)),
      partitions: fc.constant(partitions),
      stages: fc.integer({ min: 2, max: 3 }),
      k: fc.integer({ min: 1, max: 3 }),
      capacity: fc.constantFrom(1, 2, 100),
      budget: fc.constantFrom(1, 4, 100),
      sources: sources(partitions),
    }),
  )

/** Random runs with faults; `idle`: sources may also fall idle by the wall clock. */
export const runs = (idle: boolean): fc.Arbitrary<Run> =>
  fc.record({
    setup,
    schedule: fc.array(
      fc.tuple(weighted({ ...calm, ...memory, crash: 1, die: 1, ...(idle ? { fallIdle: 2 } : {}) }), fc.nat(999)),
      { maxLength: 250, size: 'max' },
    ),
  })

/** Plays a run, lets it come to its end without further faults, and judges what it committed. */
export function play(run: Run, options: Pick<Setup, 'mutant' | 'invariants'>): World {
  const full: Setup = { ...run.setup, ...options }
  const world = new World(full)
  for (const [kind, pick] of run.schedule) world.step(kind, pick)
  world.drain()
  checkOutcome(
    full,
    world.db,
    run.schedule.some(([kind]) => kind === 'fallIdle'),
  )
  return world
}
