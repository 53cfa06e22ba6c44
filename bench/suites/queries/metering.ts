/** What the counting and timing of steps costs: jobs of the ceilings with it and without, in pairs of runs. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import type { Job } from '../../harness/child.ts'
import { type Interval, pairedInterval } from '../../harness/confidence.ts'
import type { Measured, RunSpec } from '../../harness/run.ts'
import { planRun } from '../../harness/runner.ts'
import { suite as ceilings } from '../ceilings/index.ts'

/**
 * How many records a run has: a few seconds, so that the runs of a pair are near in time. The copy of the loops that reads the clock
 * runs seldom, and is made fast late: a warm-up that is too short counts its compilation as metering.
 */
const sizes = {
  'stateless-5': { warmUp: 10_000_000, records: 60_000_000 },
  'json-in-out': { warmUp: 1_000_000, records: 2_000_000 },
  'keyed-aggregate': { warmUp: 1_000_000, records: 2_000_000 },
} as const

export type MeteredJob = keyof typeof sizes
export const meteredJobs = Object.keys(sizes) as MeteredJob[]

export interface Metered {
  readonly job: string
  readonly on: readonly Measured[]
  readonly off: readonly Measured[]
  /** Processor time with metering, as a factor of that without. */
  readonly cost: Interval
  /** All runs gave the same rows. */
  readonly correct: boolean
}

/** @param pairs of runs of each job */
export async function measureMetering(name: MeteredJob, pairs: number, log: (text: string) => void): Promise<Metered> {
  const bench = ceilings.cases.find((one) => one.name === name)
  if (bench === undefined) throw new Error(`There is no job '${name}'`)
  const spec = await planRun(bench, { runs: pairs, ...sizes[name], log }, '.cache/bench')
  const path = join(bench.folder, 'dhaara.ts')
  const [on, off]: [Measured[], Measured[]] = [[], []]
  for (let pair = 0; pair < pairs; pair++) {
    // who comes second in one pair comes first in the next
    for (const metered of pair % 2 === 0 ? [true, false] : [false, true])
      (metered ? on : off).push(await runOnce(path, spec, metered))
    log(`${name}, pair ${pair + 1}: ${(on[pair]!.cpuSeconds / off[pair]!.cpuSeconds).toFixed(3)}`)
  }
  const cpu = (all: readonly Measured[]): number[] => all.map(({ cpuSeconds }) => cpuSeconds)
  const correct = new Set([...on, ...off].map(({ rows, checksum }) => `${rows} ${checksum}`)).size === 1
  return { job: name, on, off, cost: pairedInterval(cpu(off), cpu(on)), correct }
}

async function runOnce(path: string, spec: RunSpec, metered: boolean): Promise<Measured> {
  const job: Job = { ...spec, kind: 'subject', path, variant: 'default' }
  const without = ['--import', resolve(import.meta.dirname, 'unmetered.ts')]
  const child = fork(resolve(import.meta.dirname, '../../harness/child.ts'), [JSON.stringify(job)], {
    execArgv: ['--expose-gc', ...(metered ? [] : without)],
    stdio: ['ignore', process.stderr, 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`A run of ${path} ended without a result (exit code ${code})`)
  })
  ended.catch(() => {})
  const [measured] = (await Promise.race([once(child, 'message'), ended])) as [Measured]
  return measured
}
