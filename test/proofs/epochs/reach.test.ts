import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { runs } from './arbitraries.ts'
import { World } from './world.ts'

/** What a run has to pass through for the proof to be worth something. */
const SITUATIONS = [
  'a fault with records in flight in the last epoch written',
  'a fault with two epochs sealed and unwritten',
  'a fault during a write',
  'a worker an epoch ahead of another',
  'a worker two epochs ahead of another',
  'a record held back at the barrier',
  'an old generation on the wire',
  'a paused task',
] as const

describe('proof: epochs, what random schedules reach', () => {
  it('passes often through what is dangerous', () => {
    const seen = new Map<string, number>(SITUATIONS.map((situation) => [situation, 0]))
    for (const { setup, schedule } of fc.sample(runs(true), { numRuns: 600, seed: 3 })) {
      const world = new World({ ...setup, invariants: true })
      const here = new Set<(typeof SITUATIONS)[number]>()
      for (const [kind, pick] of schedule) {
        const alive = world.workers.filter(({ dead }) => !dead)
        const ahead = Math.max(...alive.map(({ epoch }) => epoch)) - Math.min(...alive.map(({ epoch }) => epoch))
        const inputs = alive.flatMap((worker) => [...worker.tasks.values()].flatMap((task) => task.inputs))
        if (kind === 'crash' || kind === 'die') {
          const inFlight = [...world.db.cuts.values()].some((cut) =>
            cut.inputs.some((input) => input.inFlight.length > 0),
          )
          if (inFlight) here.add('a fault with records in flight in the last epoch written')
          if (Math.max(...alive.map(({ epoch }) => epoch)) >= world.db.epoch + 3) {
            here.add('a fault with two epochs sealed and unwritten')
          }
          if (world.can('finishWrite')) here.add('a fault during a write')
        }
        if (ahead >= 1) here.add('a worker an epoch ahead of another')
        if (ahead >= 2) here.add('a worker two epochs ahead of another')
        for (const worker of alive) {
          const heads = [...worker.tasks.values()].flatMap((task) => task.inputs.map(({ pending }) => pending[0]))
          if (heads.some((frame) => frame && frame.epoch > worker.epoch)) here.add('a record held back at the barrier')
          if ([...worker.tasks.values()].some((task) => task.paused)) here.add('a paused task')
        }
        const newest = Math.max(...world.workers.map(({ generation }) => generation))
        const stale = [...world.channels.values()].some(({ wire }) => (wire[0]?.generation ?? newest) < newest)
        if (stale && inputs.length > 0) here.add('an old generation on the wire')
        world.step(kind, pick)
      }
      for (const situation of here) seen.set(situation, (seen.get(situation) ?? 0) + 1)
    }
    for (const [situation, runsThere] of seen) assert.ok(runsThere >= 30, `${situation}: in ${runsThere} of 600 runs`)
  })
})
