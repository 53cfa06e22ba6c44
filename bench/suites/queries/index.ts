/**
 * What asking costs, and what being watched costs:
 *
 *     npm run bench -- queries [points-code] [points-http] [arrow] [subscriptions] [metering] [--seconds n] [--runs n] [--json]
 *
 * `points-code`, `points-http`: 20,000 and 8,000 rows a second, asked for at a steady rate, after five seconds of the same, while a
 * job runs at half of what it can (`jobRatio`: its throughput beside the questions, against without; processor time: what the
 * questions add to the job's). Beside `points-http` stands a bare fastify that answers the same from a map, as the ceiling: alone,
 * and in a process beside the same job, which shows what of a latency is the machine's, whose cores the job's threads take.
 * `pinned`: one core for the thread that answers and for who asks over HTTP, another one for the job's threads and its sender; what
 * the job can is measured so, too. Of `--runs`, in turn with each other, a line is the one with the median p99 (`p99LowMs`, `p99HighMs`).
 * `arrow`: a store of a million rows over HTTP, of one partition and of four. `subscriptions`:
 * 500 rows followed. `metering`: jobs of the ceilings with and without the counting and timing of their steps, processor time, in
 * one process, in turn: the median of the ratios, and the interval of 95 % (`ratioLow` to `ratioHigh`); `--runs` is of two processes.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { answerOf } from '../../harness/apart.ts'
import { suiteOptions } from '../../harness/options.ts'
import { columns, environment } from '../../harness/report.ts'
import type { Answer, QueryJob } from './child.ts'
import { measureMetering, meteredJobs } from './metering.ts'

const names = ['points-code', 'points-http', 'arrow', 'subscriptions', 'metering'] as const

interface Line {
  readonly suite: 'queries'
  readonly case: string
  readonly subject: 'dhaara'
  readonly variant: string
  readonly correct: boolean
  readonly [figure: string]: unknown
}

/** @returns the exit code: 1 if an answer was wrong */
export async function main(args: readonly string[]): Promise<number> {
  const options = suiteOptions('queries', ['--runs', '3', ...args], names)
  const { named, json, seconds = 10, runs, records = 1_000_000 } = options
  const lines: Line[] = []
  for (const name of names.filter((one) => named.length === 0 || named.includes(one))) {
    const found = await measure(name, { seconds, runs, records })
    if (json) for (const line of found) console.log(JSON.stringify(line))
    lines.push(...found)
  }
  if (!json) console.log(tableOf(lines))
  return lines.every(({ correct }) => correct) ? 0 : 1
}

interface Size {
  readonly seconds: number
  readonly runs: number
  readonly records: number
}

async function measure(name: (typeof names)[number], { seconds, runs, records }: Size): Promise<Line[]> {
  if (name === 'metering') return metering(runs)
  if (name === 'arrow') {
    const lines: Line[] = []
    for (const partitions of [1, 4]) {
      const answer = await inChild({ kind: 'arrow', rows: records, partitions })
      const ratio = (answer.cpuOfReading ?? Number.NaN) / answer.cpuSeconds
      const variant = partitions === 1 ? 'http' : `http, ${partitions} partitions`
      lines.push({ ...lineOf(name, variant, answer), against: 'rows read alone', ratio, ratioOf: 'cpu' })
    }
    return lines
  }
  if (name === 'subscriptions')
    return [lineOf(name, '500', await inChild({ kind: 'subscriptions', count: 500, seconds }))]
  return points(name, seconds, runs)
}

/** All variants in turn, so many times. */
async function points(name: 'points-code' | 'points-http', seconds: number, runs: number): Promise<Line[]> {
  const how = name === 'points-code' ? 'code' : 'http'
  const rate = how === 'code' ? 20_000 : 8_000
  const jobs: [string, QueryJob][] = []
  for (const pinned of canPin ? [false, true] : [false]) {
    const variant = pinned ? ', pinned' : ''
    const steady = { rate, seconds, pinned }
    if (how === 'http' && !pinned) jobs.push(['fastify-alone', { kind: 'bare', beside: false, ...steady }])
    if (how === 'http') jobs.push([`fastify-beside-job${variant}`, { kind: 'bare', beside: true, ...steady }])
    jobs.push([`${how}${variant}`, { kind: 'points', how, ...steady }])
  }
  const found = new Map<string, Answer[]>(jobs.map(([variant]) => [variant, []]))
  for (let run = 0; run < runs; run++) {
    for (const [variant, job] of jobs) {
      const answer = await inChild(job)
      found.get(variant)?.push(answer)
      console.error(`${name} ${variant}: p99 ${answer.latencies?.p99Ms.toFixed(1)} ms`)
    }
  }
  const alone = found.get('fastify-alone')
  return jobs.map(([variant]) => {
    const answers = found.get(variant) as Answer[]
    const answer = medianOf(answers)
    const p99s = answers.map((one) => p99Of(one))
    const line = {
      ...lineOf(name, variant, { ...answer, correct: answers.every(({ correct }) => correct) }),
      runs,
      p99LowMs: Math.min(...p99s),
      p99HighMs: Math.max(...p99s),
      offeredPerSecond: rate,
    }
    if (alone === undefined || !variant.startsWith('http')) return line
    const ratio = medianOf(alone).cpuSeconds / answer.cpuSeconds
    return { ...line, against: 'fastify-alone', ratio, ratioOf: 'cpu' }
  })
}

/** Two cores at least, and a system that gives them out. */
const canPin = process.platform === 'linux' && availableParallelism() > 1

const p99Of = ({ latencies }: Answer): number => latencies?.p99Ms ?? Number.NaN

/** The run whose p99 is the median one, of two the worse. */
const medianOf = (answers: readonly Answer[]): Answer =>
  answers.toSorted((a, b) => p99Of(a) - p99Of(b))[answers.length >> 1] as Answer

/** A line a job: what it takes without metering, as a share of what it takes with it. */
async function metering(runs: number): Promise<Line[]> {
  const lines: Line[] = []
  for (const job of meteredJobs) {
    const found = await measureMetering(job, runs, (text) => console.error(`metering ${text}`))
    const { estimate, low, high, level } = found.cost
    lines.push({
      ...lineOf('metering', job, { ...found.spent, correct: found.correct }),
      runs,
      pairs: found.pairs,
      against: 'off',
      ratio: 1 / estimate,
      ratioLow: 1 / high,
      ratioHigh: 1 / low,
      ratioLevel: level,
      ratioOf: 'cpu',
    })
  }
  return lines
}

function lineOf(name: string, variant: string, answer: Answer): Line {
  const { records, seconds, cpuSeconds, correct, latencies, job, changesPerSecond } = answer
  return {
    suite: 'queries',
    case: name,
    subject: 'dhaara',
    variant,
    records,
    seconds,
    recordsPerSecond: Math.round(records / seconds),
    cpuSeconds,
    recordsPerCpuSecond: Math.round(records / cpuSeconds),
    ...(latencies && {
      p50Ms: latencies.p50Ms,
      p99Ms: latencies.p99Ms,
      p999Ms: latencies.p999Ms,
      maxMs: latencies.maxMs,
    }),
    ...(job && { jobPerSecond: Math.round(job.beside), jobRatio: job.beside / job.alone }),
    ...(changesPerSecond !== undefined && { changesPerSecond: Math.round(changesPerSecond) }),
    correct,
    ...environment(),
  }
}

const tableOf = (lines: readonly Line[]): string => {
  const whole = (n: unknown): string => (typeof n === 'number' ? Math.round(n).toLocaleString('en-US') : '')
  const ms = (n: unknown): string => (typeof n === 'number' ? n.toFixed(1) : '')
  const share = (n: unknown): string => (typeof n === 'number' ? n.toFixed(3) : '')
  return columns(
    ['case', 'variant', 'per s', 'per CPU s', 'p50 ms', 'p99 ms', 'job/s', 'job ratio', 'ratio', 'correct'],
    lines.map((line) => [
      line.case,
      line.variant,
      whole(line['recordsPerSecond']),
      whole(line['recordsPerCpuSecond']),
      ms(line['p50Ms']),
      ms(line['p99Ms']),
      whole(line['jobPerSecond']),
      share(line['jobRatio']),
      share(line['ratio']),
      line.correct ? 'yes' : 'NO',
    ]),
    [2, 3, 4, 5, 6, 7, 8],
  )
}

const inChild = (job: QueryJob): Promise<Answer> =>
  answerOf(join(import.meta.dirname, 'child.ts'), [JSON.stringify(job)])
