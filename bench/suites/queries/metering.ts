/**
 * What the counting and timing of steps costs: jobs of the ceilings with it and without, which work in turn. A turn is some hundredths
 * of a second, so that what else the machine does is the same for both; several of them together are a pair, so that what comes
 * seldom, as a slice that is timed step by step, is in each.
 */
import { join } from 'node:path'
import { answerOf } from '../../harness/apart.ts'
import { type Interval, pairedInterval } from '../../harness/confidence.ts'
import { planRun } from '../../harness/runner.ts'
import { suite as ceilings } from '../ceilings/index.ts'
import type { Turns, TurnsJob } from './metering-child.ts'

/**
 * Records of the warm-up and of a turn. The copy of the loops that reads the clock runs seldom, and is made fast late: a warm-up
 * that is too short counts its compilation as metering.
 */
const sizes = {
  'stateless-5': { warmUp: 60_000_000, turn: 2_000_000 },
  'json-in-out': { warmUp: 1_000_000, turn: 20_000 },
  'keyed-aggregate': { warmUp: 1_000_000, turn: 20_000 },
} as const
const chunkSize = 20_000
const pairs = 13
/** Of each of the two, in a pair. */
const turns = 8

export type MeteredJob = keyof typeof sizes
export const meteredJobs = Object.keys(sizes) as MeteredJob[]

export interface Metered {
  readonly job: string
  /** With metering, in all turns. */
  readonly spent: { readonly records: number; readonly seconds: number; readonly cpuSeconds: number }
  /** Of all runs. */
  readonly pairs: number
  /** Processor time with metering, as a factor of that without. */
  readonly cost: Interval
  /** With metering and without there came the same rows. */
  readonly correct: boolean
}

/** @param runs of two processes each: who is set up first is compiled first, and the better for it */
export async function measureMetering(name: MeteredJob, runs: number, log: (text: string) => void): Promise<Metered> {
  const bench = ceilings.cases.find((one) => one.name === name)
  if (bench === undefined) throw new Error(`There is no job '${name}'`)
  const { warmUp, turn } = sizes[name]
  const records = pairs * turns * turn
  const spec = await planRun(bench, { runs, warmUp, records, chunkSize, log }, '.cache/bench')
  const found: Turns[] = []
  for (let run = 0; run < 2 * runs; run++) {
    const one = await inChild({
      spec,
      path: join(bench.folder, 'dhaara.ts'),
      pairs,
      turns,
      meteredFirst: run % 2 === 0,
    })
    found.push(one)
    const { estimate, low, high } = pairedInterval(one.off, one.on)
    log(`${name}, process ${run + 1}: ${estimate.toFixed(3)}, from ${low.toFixed(3)} to ${high.toFixed(3)}`)
  }
  const on = found.flatMap((one) => one.on)
  const off = found.flatMap((one) => one.off)
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0)
  const spent = { records: 2 * runs * records, seconds: sum(found.map(({ seconds }) => seconds)), cpuSeconds: sum(on) }
  const correct = found.every((one) => one.correct)
  return { job: name, spent, pairs: on.length, cost: pairedInterval(off, on), correct }
}

const inChild = (job: TurnsJob): Promise<Turns> =>
  answerOf(join(import.meta.dirname, 'metering-child.ts'), [JSON.stringify(job)], {
    // compiled when it is due, not when another thread is done: else the same code comes out in several versions, at random
    execArgv: ['--no-concurrent-recompilation'],
  })
