/**
 * What grows with workers, keys, steps and partitions, and how:
 *
 *     npm run bench -- scale [workers] [keys] [steps] [partitions] [--records n] [--runs n] [--json]
 *     npm run bench -- scale keys-huge                                          10 and 50 million keys: an hour
 */
import { fork } from 'node:child_process'
import { resolve } from 'node:path'
import type { Measured } from '../../harness/run.ts'
import { suiteOptions } from '../../harness/options.ts'
import { lineOf, tableOf, type ThroughputLine } from '../../harness/report.ts'
import { summarise } from '../../harness/statistics.ts'
import type { ScaleJob } from './child.ts'

interface ScaleLine extends ThroughputLine {
  /** Workers, keys, steps or partitions. */
  readonly x: number
}

interface Dimension {
  readonly values: readonly number[]
  readonly job: (x: number) => Partial<ScaleJob> & { readonly steps?: number }
  readonly ratioOf: 'cpu' | 'wall'
  readonly onlyNamed?: boolean
}

const usual = { keys: 10_000, partitions: 1, workers: 0, steps: 1 }

const dimensions: Readonly<Record<string, Dimension>> = {
  workers: { values: [0, 1, 2], job: (workers) => ({ workers, partitions: 4 }), ratioOf: 'wall' },
  keys: { values: [10_000, 100_000, 1_000_000], job: (keys) => ({ keys }), ratioOf: 'cpu' },
  'keys-huge': { values: [10_000_000, 50_000_000], job: (keys) => ({ keys }), ratioOf: 'cpu', onlyNamed: true },
  steps: { values: [1, 10, 100], job: (steps) => ({ steps }), ratioOf: 'cpu' },
  partitions: { values: [1, 4, 16, 64, 256], job: (partitions) => ({ partitions }), ratioOf: 'cpu' },
}

/** @returns the exit code: 1 if rows were wrong */
export async function main(args: readonly string[]): Promise<number> {
  const names = Object.keys(dimensions)
  const { named, json, runs, records = 500_000 } = suiteOptions('scale', ['--runs', '3', ...args], names)
  const chosen = names.filter((name) => (named.length === 0 ? !dimensions[name]!.onlyNamed : named.includes(name)))
  const lines: ScaleLine[] = []
  for (const name of chosen) {
    const found = await measureDimension(name, dimensions[name]!, records, runs)
    if (json) for (const line of found) console.log(JSON.stringify(line))
    lines.push(...found)
  }
  if (!json) console.log(tableOf(lines))
  return lines.every(({ correct }) => correct) ? 0 : 1
}

/** Each line is against the first value's, run in turn with it. */
async function measureDimension(
  name: string,
  dimension: Dimension,
  records: number,
  runs: number,
): Promise<ScaleLine[]> {
  const { values, job, ratioOf } = dimension
  const measured = values.map((): (Measured & { readonly correct: boolean })[] => [])
  for (let run = 0; run < runs; run++) {
    for (const [i, x] of values.entries()) {
      const { steps, ...more } = { ...usual, records, ...job(x) }
      const figures = await inChild(more, steps)
      measured[i]!.push(figures)
      const rate = Math.round(records / figures.cpuSeconds).toLocaleString('en-US')
      console.error(`${name} ${x}, run ${run + 1}: ${rate} records/CPU s${figures.correct ? '' : ', WRONG'}`)
    }
  }
  const summaries = measured.map((all) => summarise(all, ratioOf))
  return values.map((x, i) => ({
    ...lineOf({
      suite: 'scale',
      case: name,
      subject: 'dhaara',
      variant: String(x),
      summary: summaries[i]!,
      ...(i > 0 && { yardstick: { name: String(values[0]), summary: summaries[0]! } }),
      ratioOf,
      correct: measured[i]!.every(({ correct }) => correct),
      checksum: measured[i]![0]!.checksum,
    }),
    x,
  }))
}

function inChild(job: ScaleJob, steps: number): Promise<Measured & { readonly correct: boolean }> {
  const child = fork(resolve(import.meta.dirname, 'child.ts'), [JSON.stringify(job)], {
    env: { ...process.env, BENCH_STEPS: String(steps) },
    stdio: ['ignore', process.stderr, 'inherit', 'ipc'],
  })
  return new Promise((done, failed) => {
    child.on('message', (message) => done(message as Measured & { correct: boolean }))
    child.on('error', failed)
    child.on('exit', (code) => failed(new Error(`The measurement ended without a result (exit code ${code})`)))
  })
}
