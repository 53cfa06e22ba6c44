/**
 * What grows with workers, cores, keys, steps, partitions and processes, and how:
 *
 *     npm run bench -- scale [workers] [cores] [keys] [steps] [partitions] [processes] [--records n] [--runs n] [--json]
 *     npm run bench -- scale keys-huge                    10 and 50 million keys: up to 15 minutes a run
 *
 * `processes` needs Java, for a broker: `processes.ts`.
 */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { startApart } from '../../harness/apart.ts'
import { suiteOptions } from '../../harness/options.ts'
import { lineOf, tableOf } from '../../harness/report.ts'
import { median, summarise } from '../../harness/statistics.ts'
import type { ScaleFigures, ScaleJob, ScaleQuestions } from './child.ts'
import type { ScaleLine } from './line.ts'
import { measureProcesses } from './processes.ts'

interface Dimension {
  readonly values: readonly number[]
  /** `copies`: so many of it run at once, each in a process of its own. */
  readonly job: (x: number) => Partial<ScaleJob> & { readonly steps?: number; readonly copies?: number }
  readonly ratioOf: 'cpu' | 'wall'
  readonly onlyNamed?: boolean
}

const usual = {
  records: 1_000_000,
  keys: 10_000,
  partitions: 1,
  workers: 0,
  fillSeconds: 300,
  round: 2_000_000,
  steps: 1,
  copies: 1,
}

const dimensions: Readonly<Record<string, Dimension>> = {
  workers: { values: [0, 1, 2], job: (workers) => ({ workers, partitions: 4, records: 3_000_000 }), ratioOf: 'wall' },
  // what a core brings beside others that are busy: most of a million keys' rows lie in none of the processor's caches
  cores: {
    values: [...new Set([1, 2, availableParallelism()])],
    job: (copies) => ({ copies, keys: 1_000_000 }),
    ratioOf: 'cpu',
  },
  keys: { values: [10_000, 100_000, 1_000_000], job: (keys) => ({ keys }), ratioOf: 'cpu' },
  'keys-huge': { values: [10_000_000, 50_000_000], job: (keys) => ({ keys }), ratioOf: 'cpu', onlyNamed: true },
  steps: { values: [1, 10, 100], job: (steps) => ({ steps }), ratioOf: 'cpu' },
  partitions: { values: [1, 4, 16, 64, 256], job: (partitions) => ({ partitions }), ratioOf: 'cpu' },
}

/** @returns the exit code: 1 if rows were wrong */
export async function main(args: readonly string[]): Promise<number> {
  const names = [...Object.keys(dimensions), 'processes']
  const { named, json, runs, records, warmUp } = suiteOptions('scale', ['--runs', '3', ...args], names)
  const log = (text: string): void => console.error(text)
  const chosen = names.filter((name) => (named.length === 0 ? !dimensions[name]?.onlyNamed : named.includes(name)))
  const lines: ScaleLine[] = []
  for (const name of chosen) {
    const dimension = dimensions[name]
    const found =
      dimension === undefined
        ? await measureProcesses({ runs, records, warmUp, log })
        : await measureDimension(name, dimension, records, runs, log)
    if (json) for (const line of found) console.log(JSON.stringify(line))
    lines.push(...found)
  }
  if (!json) console.log(tableOf(lines))
  return lines.every(({ correct }) => correct) ? 0 : 1
}

/** Each line is against the first value's, run in turn with it. */
async function measureDimension(
  name: string,
  { values, job, ratioOf }: Dimension,
  records: number | undefined,
  runs: number,
  log: (text: string) => void,
): Promise<ScaleLine[]> {
  const measured = values.map((): ScaleFigures[] => [])
  for (let run = 0; run < runs; run++) {
    const turn = [...values.entries()]
    // back and forth, so that what the machine is slower or faster for falls on all of them
    for (const [i, x] of run % 2 === 0 ? turn : turn.toReversed()) {
      const whole = { ...usual, ...job(x), ...(records !== undefined && { records }) }
      const figures = await inChildren(whole)
      measured[i]!.push(figures)
      const rate = Math.round(figures.records / figures.cpuSeconds).toLocaleString('en-US')
      log(`${name} ${x}, run ${run + 1}: ${rate} records/CPU s${figures.correct ? '' : ', WRONG'}`)
      if (figures.keys < whole.keys)
        log(`${name} ${x}: ${figures.keys.toLocaleString('en-US')} keys in ${whole.fillSeconds} s`)
    }
  }
  const summaries = measured.map((all) => summarise(all, ratioOf))
  // where a state could not be filled in time, the line is of what it had
  const reached = values.map((x, i) => (job(x).keys === x ? Math.min(...measured[i]!.map(({ keys }) => keys)) : x))
  return reached.map((x, i) => ({
    ...lineOf({
      suite: 'scale',
      case: name,
      subject: 'dhaara',
      variant: String(x),
      summary: summaries[i]!,
      ...(i > 0 && { yardstick: { name: String(reached[0]), summary: summaries[0]! } }),
      ratioOf,
      correct: measured[i]!.every(({ correct }) => correct),
      checksum: measured[i]![0]!.checksum,
    }),
    x,
    startMs: Math.round(1000 * median(measured[i]!.map(({ startSeconds }) => startSeconds))),
  }))
}

/** Records, CPU time and memory are those of all copies together, wall time that of the slowest. */
async function inChildren({ steps, copies, ...job }: ScaleJob & typeof usual): Promise<ScaleFigures> {
  const env = { BENCH_STEPS: String(steps) }
  const children = await Promise.all(
    Array.from({ length: copies }, () =>
      startApart<ScaleQuestions>(resolve(import.meta.dirname, 'child.ts'), job, env),
    ),
  )
  const all = await Promise.all(children.map((child) => child.ask('measure')))
  await Promise.all(children.map((child) => child.end()))
  const sum = (of: 'records' | 'cpuSeconds' | 'peakRssMb' | 'rows'): number => all.reduce((so, one) => so + one[of], 0)
  return {
    ...all[0]!,
    records: sum('records'),
    rows: sum('rows'),
    cpuSeconds: sum('cpuSeconds'),
    peakRssMb: sum('peakRssMb'),
    startSeconds: Math.max(...all.map(({ startSeconds }) => startSeconds)),
    seconds: Math.max(...all.map(({ seconds }) => seconds)),
    correct: all.every(({ correct }) => correct),
  }
}
