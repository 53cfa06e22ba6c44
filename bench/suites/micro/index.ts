/**
 * Small parts alone, timed by benchmark.js: `npm run bench -- micro [group] [--json] [--seconds n]`. A part that is slow here is
 * slow everywhere; one that is fast here proves nothing about a job.
 */
import { parseArgs } from 'node:util'
import Benchmark from 'benchmark'
import { positiveOption, wholeOption } from '../../harness/options.ts'
import { type Environment, environment } from '../../harness/report.ts'
import type { MicroCase } from './case.ts'
import { codecs } from './codecs.ts'
import { patterns } from './patterns.ts'
import { stores } from './stores.ts'
import { time } from './time.ts'

const groups: Readonly<Record<string, readonly MicroCase[]>> = { codecs, stores, time, patterns }

/** Of all that was run for a figure, that before the samples included; memory is that of the process so far. */
interface Costs {
  readonly runs: number
  readonly records: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakRssMb: number
}

interface MicroLine extends Environment, Costs {
  readonly suite: 'micro'
  readonly case: string
  readonly subject: string
  readonly variant: 'default'
  /** Values, records or keys a second. */
  readonly recordsPerSecond: number
  /** Relative margin of error at 95 %, as a share. */
  readonly spread: number
  readonly against?: string
  readonly ratio?: number
  readonly ratioOf?: 'wall'
}

/** @returns the exit code: 2 if the command line was wrong */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '1' },
      runs: { type: 'string', default: '10' },
    },
  })
  const unknown = positionals.find((name) => groups[name] === undefined)
  if (unknown !== undefined) {
    console.error(`There is no group '${unknown}'; there are: ${Object.keys(groups).join(', ')}`)
    return 2
  }
  const seconds = positiveOption('seconds', values.seconds)
  const samples = wholeOption('runs', values.runs)
  for (const name of positionals.length === 0 ? Object.keys(groups) : positionals) {
    for (const line of measureGroup(name, groups[name]!, seconds, samples))
      console.log(values.json ? JSON.stringify(line) : textOf(line))
  }
  return 0
}

function measureGroup(group: string, cases: readonly MicroCase[], seconds: number, samples: number): MicroLine[] {
  const measured = new Map(cases.map((one) => [one.name, measure(one, seconds, samples)]))
  return cases.map((one) => {
    const { hz, rme, ...costs } = measured.get(one.name)!
    const other = one.against === undefined ? undefined : measured.get(one.against)
    return {
      suite: 'micro',
      case: group,
      subject: one.name,
      variant: 'default',
      recordsPerSecond: Math.round(hz),
      spread: Number((rme / 100).toFixed(3)),
      ...costs,
      ...(other && { against: one.against!, ratio: Number((hz / other.hz).toFixed(3)), ratioOf: 'wall' }),
      ...environment(),
    }
  })
}

function measure({ run, perCall }: MicroCase, seconds: number, samples: number): Costs & { hz: number; rme: number } {
  let kept: unknown
  let calls = 0
  const before = process.cpuUsage()
  const started = performance.now()
  const bench = new Benchmark(
    () => {
      calls++
      kept = run()
    },
    { maxTime: seconds, minSamples: samples },
  )
  bench.run()
  if (bench.error !== undefined || kept === undefined) throw bench.error ?? new Error('A case returned nothing')
  const { hz, stats } = bench
  const { user, system } = process.cpuUsage(before)
  return {
    hz: hz * perCall,
    rme: stats.rme,
    runs: stats.sample.length,
    records: calls * perCall,
    seconds: Number(((performance.now() - started) / 1000).toFixed(3)),
    cpuSeconds: Number(((user + system) / 1e6).toFixed(3)),
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }
}

function textOf({ case: group, subject, recordsPerSecond, spread, against, ratio }: MicroLine): string {
  const rate = `${(recordsPerSecond / 1e6).toFixed(2)} M/s`
  const held = ratio === undefined ? '' : `  ${ratio.toFixed(2)} of ${against}`
  return `${group.padEnd(9)} ${subject.padEnd(38)} ${rate.padStart(12)} ±${(spread * 100).toFixed(1)} %${held}`
}
