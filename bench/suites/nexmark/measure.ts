import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerOf } from '../../harness/apart.ts'
import type { Measured } from '../../harness/run.ts'
import { lineOf, type ThroughputLine } from '../../harness/report.ts'
import { summarise } from '../../harness/statistics.ts'
import type { Outcome } from '../../harness/run.ts'
import { publishedPerCore } from './published.ts'
import type { RowLatency } from './latency.ts'
import { queries } from './queries/index.ts'
import { logOf, outcomesOf } from './workload.ts'

export interface MeasureOptions {
  readonly runs: number
  readonly events: number
  /** Of the run at half of the load; 0: none. */
  readonly latencySeconds: number
  readonly cache: string
  readonly log: (text: string) => void
}

/** A line beside the published figure. */
export interface NexmarkLine extends ThroughputLine {
  /** K events a second and core. */
  readonly perCore: number
  readonly publishedFlinkPerCore?: number
  /** Of a row until it can be read, at half of the events a second that the query takes; absent where no row was seen. */
  readonly p50Ms?: number
  readonly p99Ms?: number
}

/** From the log's first event to the last commit, durable state, exactly once, a checkpoint each second. */
export async function measureQueries(names: readonly string[], options: MeasureOptions): Promise<NexmarkLine[]> {
  const { cache, events, log } = options
  log(`${events.toLocaleString('en-US')} events; computing what is right`)
  const expected = outcomesOf(cache, names, events)
  const lines: NexmarkLine[] = []
  for (const name of names) lines.push(await measureQuery(name, expected[name], options))
  return lines
}

async function measureQuery(
  name: string,
  expected: Outcome | undefined,
  { runs, events, latencySeconds, cache, log }: MeasureOptions,
): Promise<NexmarkLine> {
  const kept = await logOf(cache, queries[name]!, events)
  const measured: Measured[] = []
  let correct = true
  for (let run = 0; run < runs; run++) {
    const figures = await runOnce(name, kept, events)
    measured.push(figures)
    const ok = expected === undefined || (figures.rows === expected.rows && figures.checksum === expected.checksum)
    if (!ok) correct = false
    const rate = Math.round(events / figures.cpuSeconds).toLocaleString('en-US')
    log(
      `${name}, run ${run + 1}: ${rate} events/CPU s${ok ? '' : `, WRONG: ${figures.rows} rows, not ${expected.rows}`}`,
    )
  }
  const line = lineOf({
    suite: 'nexmark',
    case: name,
    subject: 'dhaara',
    variant: 'default',
    summary: summarise(measured, 'cpu'),
    ratioOf: 'cpu',
    correct,
    checksum: measured[0]!.checksum,
  })
  const published = publishedPerCore[name]
  const perCore = Math.round(line.recordsPerCpuSecond / 100) / 10
  return {
    ...line,
    perCore,
    ...(published === undefined ? {} : { publishedFlinkPerCore: published }),
    ...(latencySeconds > 0 ? await latencyOf(name, Math.round(line.recordsPerSecond / 2), latencySeconds, log) : {}),
  }
}

async function latencyOf(name: string, rate: number, seconds: number, log: (text: string) => void) {
  const { p50Ms, p99Ms, timedRows } = await answerOf<RowLatency>(join(import.meta.dirname, 'latency.ts'), [
    name,
    String(rate),
    String(seconds),
  ])
  const shown = timedRows === 0 ? 'no row' : `p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms, ${timedRows} rows`
  log(`${name} at ${rate.toLocaleString('en-US')} events/s: ${shown}`)
  return timedRows === 0 ? {} : { p50Ms, p99Ms }
}

async function runOnce(name: string, log: string, events: number): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-nexmark-'))
  try {
    cpSync(log, dir, { recursive: true })
    return await answerOf<Measured>(join(import.meta.dirname, 'child.ts'), [name, dir, String(events)])
  } finally {
    rmSync(dir, { recursive: true })
  }
}
