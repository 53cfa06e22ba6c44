/**
 * Small parts alone, timed by benchmark.js: `npm run bench -- micro [group] [--json] [--seconds n]`. A part that is slow here is
 * slow everywhere; one that is fast here proves nothing about a job.
 */
import { parseArgs } from 'node:util'
import Benchmark from 'benchmark'
import { type Environment, environment } from '../../harness/report.ts'
import type { MicroCase } from './case.ts'
import { codecs } from './codecs.ts'
import { patterns } from './patterns.ts'
import { stores } from './stores.ts'
import { time } from './time.ts'

const groups: Readonly<Record<string, readonly MicroCase[]>> = { codecs, stores, time, patterns }

interface MicroLine extends Environment {
  readonly suite: 'micro'
  readonly case: string
  readonly subject: string
  /** Values, records or keys a second. */
  readonly recordsPerSecond: number
  /** Relative margin of error at 95 %, as a share. */
  readonly spread: number
  readonly runs: number
  readonly against?: string
  readonly ratio?: number
}

/** @returns the exit code: 2 if the command line was wrong */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, seconds: { type: 'string', default: '1' } },
  })
  const unknown = positionals.find((name) => groups[name] === undefined)
  if (unknown !== undefined) {
    console.error(`There is no group '${unknown}'; there are: ${Object.keys(groups).join(', ')}`)
    return 2
  }
  const seconds = Number(values.seconds)
  if (!(seconds > 0)) {
    console.error(`--seconds is '${values.seconds}', not a number above 0`)
    return 2
  }
  for (const name of positionals.length === 0 ? Object.keys(groups) : positionals) {
    for (const line of measureGroup(name, groups[name]!, seconds))
      console.log(values.json ? JSON.stringify(line) : textOf(line))
  }
  return 0
}

function measureGroup(group: string, cases: readonly MicroCase[], seconds: number): MicroLine[] {
  const measured = new Map(cases.map((one) => [one.name, measure(one, seconds)]))
  return cases.map((one) => {
    const { hz, rme, runs } = measured.get(one.name)!
    const other = one.against === undefined ? undefined : measured.get(one.against)
    return {
      suite: 'micro',
      case: group,
      subject: one.name,
      recordsPerSecond: Math.round(hz),
      spread: Number((rme / 100).toFixed(3)),
      runs,
      ...(other && { against: one.against!, ratio: Number((hz / other.hz).toFixed(3)) }),
      ...environment(),
    }
  })
}

function measure({ run, perCall }: MicroCase, seconds: number): { hz: number; rme: number; runs: number } {
  let kept: unknown
  const bench = new Benchmark(() => void (kept = run()), { maxTime: seconds, minSamples: 10 })
  bench.run()
  if (bench.error !== undefined || kept === undefined) throw bench.error ?? new Error('A case returned nothing')
  const { hz, stats } = bench
  return { hz: hz * perCall, rme: stats.rme, runs: stats.sample.length }
}

function textOf({ case: group, subject, recordsPerSecond, spread, against, ratio }: MicroLine): string {
  const rate = `${(recordsPerSecond / 1e6).toFixed(2)} M/s`
  const held = ratio === undefined ? '' : `  ${ratio.toFixed(2)} of ${against}`
  return `${group.padEnd(9)} ${subject.padEnd(38)} ${rate.padStart(12)} ±${(spread * 100).toFixed(1)} %${held}`
}
