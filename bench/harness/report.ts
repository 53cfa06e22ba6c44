/** The lines that a benchmark prints: for programs one JSON object a line, for people a table. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { ratioBetween, type Summary } from './statistics.ts'

/** Names and units are a contract: others parse them. */
export interface ThroughputLine extends Environment {
  readonly suite: string
  readonly case: string
  readonly subject: string
  readonly variant: string
  readonly records: number
  readonly seconds: number
  readonly recordsPerSecond: number
  readonly cpuSeconds: number
  readonly recordsPerCpuSecond: number
  /** Where rows are counted run by run: matches of patterns, for example. */
  readonly rowsPerCpuSecond?: number
  readonly peakRssMb: number
  /** Absent on the yardstick's own line, like `ratio` and `ratioOf`. */
  readonly against?: string
  readonly ratio?: number
  readonly ratioOf?: 'cpu' | 'wall'
  readonly spread: number
  readonly runs: number
  /** Records per (CPU) second of each run, in their order: what `compare` works with. */
  readonly rates: readonly number[]
  /** Those of the yardstick, run in turn with them. */
  readonly ratesAgainst?: readonly number[]
  readonly correct: boolean
  readonly checksum: string
}

export interface LineParts {
  readonly suite: string
  readonly case: string
  readonly subject: string
  readonly variant: string
  readonly summary: Summary
  readonly yardstick?: { readonly name: string; readonly summary: Summary }
  readonly ratioOf: 'cpu' | 'wall'
  readonly correct: boolean
  readonly checksum: string
}

/** One line, rounded. */
export function lineOf(parts: LineParts): ThroughputLine {
  const { suite, subject, variant, summary, yardstick, ratioOf, correct, checksum } = parts
  const held = yardstick && {
    against: yardstick.name,
    ratio: round(ratioBetween(summary, yardstick.summary, ratioOf), 3),
    ratioOf,
    ratesAgainst: yardstick.summary.rates.map(Math.round),
  }
  return {
    suite,
    case: parts.case,
    subject,
    variant,
    records: summary.records,
    seconds: round(summary.seconds, 3),
    recordsPerSecond: Math.round(summary.recordsPerSecond),
    cpuSeconds: round(summary.cpuSeconds, 3),
    recordsPerCpuSecond: Math.round(summary.recordsPerCpuSecond),
    ...(summary.rowsPerCpuSecond === undefined ? {} : { rowsPerCpuSecond: Math.round(summary.rowsPerCpuSecond) }),
    peakRssMb: Math.round(summary.peakRssMb),
    ...held,
    spread: round(summary.spread, 3),
    runs: summary.runs,
    rates: summary.rates.map(Math.round),
    correct,
    checksum,
    ...environment(),
  }
}

/** A table for people; the widths fit 120 columns. */
export function tableOf(lines: readonly ThroughputLine[]): string {
  const head = ['case', 'subject', 'records/s', 'records/CPU s', 'RSS MB', 'spread', 'against', 'ratio', 'correct']
  const rows = lines.map((line) => [
    line.case,
    line.variant === 'default' ? line.subject : `${line.subject} (${line.variant})`,
    thousands(line.recordsPerSecond),
    thousands(line.recordsPerCpuSecond),
    String(line.peakRssMb),
    `${(line.spread * 100).toFixed(1)} %`,
    line.against ?? '',
    line.ratio === undefined ? '' : `${line.ratio.toFixed(2)} ${line.ratioOf}`,
    line.correct ? 'yes' : 'NO',
  ])
  return columns(head, rows, [2, 3, 4, 5])
}

/** Text in columns, those of `numbers` to the right. */
export function columns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: readonly number[],
): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  return [head, ...rows]
    .map((row) =>
      row.map((cell, i) => (numbers.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  '),
    )
    .map((row) => row.trimEnd())
    .join('\n')
}

/** The machine and what runs on it. */
export interface Environment {
  readonly cores: number
  /** Model of the processor. */
  readonly cpu: string
  readonly memoryGb: number
  readonly node: string
  readonly versions: Readonly<Record<string, string>>
  readonly commit: string
}

/** Of this process. */
export function environment(): Environment {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    versions: versions(),
    commit: commit(),
  }
}

let found: Record<string, string> | undefined

function versions(): Record<string, string> {
  found ??= {
    dhaara: packageVersion('../../package.json'),
    rocksdb: packageVersion('../../node_modules/@nxtedition/rocksdb/package.json'),
    v8: process.versions.v8,
  }
  return found
}

const packageVersion = (path: string): string =>
  (JSON.parse(readFileSync(join(import.meta.dirname, path), 'utf8')) as { version: string }).version

function round(value: number, places: number): number {
  return Number(value.toFixed(places))
}

function thousands(value: number): string {
  return value.toLocaleString('en-US')
}

let known: string | undefined

/** Short hash of the checked-out commit; `unknown` outside of a repository. */
function commit(): string {
  if (known !== undefined) return known
  try {
    known = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    known = 'unknown'
  }
  return known
}
