/** Runs a case: the reference once, then subject and yardstick in turn, each run in a fresh process. */
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { writeWorkload } from '../workload/chunks.ts'
import type { Answer, Job } from './child.ts'
import type { Measured, RunSpec } from './run.ts'
import { lineOf, type ThroughputLine } from './report.ts'
import { type Summary, summarise } from './statistics.ts'
import type { BenchCase } from './subject.ts'
import type { Outcome } from './run.ts'

export interface RunOptions {
  /** Runs of each subject. */
  readonly runs: number
  /** Wanted length of a timed run; without it, the case's own number of records. */
  readonly seconds?: number | undefined
  /** Overrides of the case's numbers, for tests of the plumbing. */
  readonly records?: number | undefined
  readonly warmUp?: number | undefined
  readonly chunkSize?: number | undefined
  /** Only these subjects; the yardstick runs always. */
  readonly subjects?: readonly string[] | undefined
  /** Where workloads and references are kept between runs. */
  readonly cache?: string | undefined
  /** Progress. */
  readonly log: (text: string) => void
}

/** A module that can be measured, under one of its variants. */
interface Entrant {
  readonly name: string
  readonly variant: string
  /** Of its module; of an outside program nothing. */
  readonly path: string
  readonly run?: (spec: RunSpec) => Promise<Measured>
}

interface Results {
  readonly entrant: Entrant
  readonly runs: Measured[]
  correct: boolean
}

const childModule = resolve(import.meta.dirname, 'child.ts')
const usualChunk = 100_000

/** Measures one case of a suite. `other` finds a case by name, for `alsoAgainst`. */
export async function runCase(
  suite: string,
  bench: BenchCase,
  options: RunOptions,
  other: (name: string) => BenchCase | undefined = () => undefined,
): Promise<ThroughputLine[]> {
  const cache = options.cache ?? '.cache/bench'
  const spec = await planRun(bench, options, cache)
  const reference = await referenceOf(bench, spec, cache, options.log)
  const yardstick = yardstickOf(bench)
  const results = [yardstick, ...entrantsOf(bench, options.subjects)].map(
    (entrant): Results => ({ entrant, runs: [], correct: true }),
  )
  const also = bench.alsoAgainst === undefined ? undefined : other(bench.alsoAgainst)
  const alsoResults = also === undefined ? [] : results.map((result) => alsoFor(also, result.entrant))
  for (let run = 0; run < options.runs; run++) {
    // Back and forth, so that nobody always runs on the machine that the other one has warmed.
    const order = run % 2 === 0 ? results : results.toReversed()
    for (const result of order) {
      await runOnce(result, spec, reference, options.log, run)
      const pair = alsoResults[results.indexOf(result)]
      if (pair !== undefined) await runOnce(pair, spec, undefined, options.log, run)
    }
  }
  const summaries = new Map(results.map((result) => [result, summarise(result.runs, bench.ratioOf)]))
  const base = summaries.get(results[0]!)!
  const turnedLine = (name: string, summary: Summary): ThroughputLine =>
    lineOf({
      suite,
      case: bench.name,
      subject: yardstick.name,
      variant: yardstick.variant,
      summary: base,
      yardstick: { name, summary },
      ratioOf: bench.ratioOf,
      correct: results[0]!.correct,
      checksum: results[0]!.runs[0]!.checksum,
    })
  return results.flatMap((result, i) => {
    const line = (against: { name: string; summary: Summary } | undefined): ThroughputLine =>
      lineOf({
        suite,
        case: bench.name,
        subject: result.entrant.name,
        variant: result.entrant.variant,
        summary: summaries.get(result)!,
        ...(against && { yardstick: against }),
        ratioOf: bench.ratioOf,
        correct: result.correct,
        checksum: result.runs[0]!.checksum,
      })
    if (bench.turned && i > 0) {
      const { name, variant } = result.entrant
      const against = variant === 'default' ? name : `${name} (${variant})`
      return [line(undefined), turnedLine(against, summaries.get(result)!)]
    }
    const first = line(i === 0 ? undefined : { name: yardstick.name, summary: base })
    const pair = alsoResults[i]
    if (pair === undefined) return [first]
    return [first, line({ name: also!.name, summary: summarise(pair.runs, bench.ratioOf) })]
  })
}

/** How many records, and the file that has them. */
export async function planRun(bench: BenchCase, options: RunOptions, cache: string): Promise<RunSpec> {
  const chunk = options.chunkSize ?? usualChunk
  const whole = (records: number, unit = chunk): number => Math.max(1, Math.ceil(records / unit)) * unit
  const warmUp = whole(options.warmUp ?? bench.warmUp)
  const specFor = (records: number): RunSpec => {
    const total = bench.input === 'objects' ? chunk : warmUp + records
    const workload = workloadFile(cache, `${bench.workload}-${chunk}`, total)
    if (!existsSync(workload)) options.log(`${bench.name}: writing ${total.toLocaleString('en-US')} records`)
    writeWorkload(workload, { records: total, chunkSize: chunk }, bench.generator())
    return { workload, input: bench.input, warmUp, records, ...(bench.endTimed === false && { endTimed: false }) }
  }
  if (options.seconds === undefined) return specFor(whole(options.records ?? bench.records))
  const trial = specFor(whole(bench.records / 5))
  const { records, seconds } = await measured(yardstickOf(bench), trial)
  // Round numbers, so that the next invocation finds workload and reference in the cache.
  return specFor(whole((records / seconds) * options.seconds, chunk * 5))
}

/** A file that is long enough (the first records of all of them are the same), or the name of a new one. */
function workloadFile(cache: string, name: string, records: number): string {
  const kept = existsSync(cache) ? readdirSync(cache).filter((file) => file.startsWith(`${name}-`)) : []
  const sizes = kept.map((file) => Number(/-(\d+)\.chunks$/.exec(file)?.[1])).filter((size) => size >= records)
  if (sizes.length > 0) return join(cache, `${name}-${Math.min(...sizes)}.chunks`)
  for (const shorter of kept) rmSync(join(cache, shorter))
  return join(cache, `${name}-${records}.chunks`)
}

/** The reference's outcome; kept in the cache until the workload, the reference or the harness changes. */
async function referenceOf(bench: BenchCase, spec: RunSpec, cache: string, log: RunOptions['log']): Promise<Outcome> {
  const path = join(bench.folder, 'reference.ts')
  const hash = createHash('sha256').update(JSON.stringify({ ...spec, workload: bench.workload }))
  const references = globSync(join(bench.folder, '../**/*reference.ts')).toSorted()
  for (const file of [...references, ...sources]) hash.update(readFileSync(file))
  const kept = join(cache, `${bench.name}-${hash.digest('hex').slice(0, 16)}.json`)
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Outcome
  log(`${bench.name}: computing the reference`)
  const outcome = await inChild({ ...spec, kind: 'reference', path, variant: 'default' })
  mkdirSync(cache, { recursive: true })
  writeFileSync(kept, JSON.stringify(outcome))
  return outcome
}

const sources = [
  'sink.ts',
  'measure.ts',
  '../workload/orders.ts',
  '../workload/customers.ts',
  '../workload/patterns.ts',
  '../workload/random.ts',
].map((name) => resolve(import.meta.dirname, name))

function entrantOf(bench: BenchCase, name: string, variant: string): Entrant {
  return { name, variant, path: join(bench.folder, `${name}.ts`) }
}

function yardstickOf({ yardstick: name, yardstickFolder, folder }: BenchCase): Entrant {
  return { name, variant: 'default', path: join(yardstickFolder ?? folder, `${name}.ts`) }
}

function entrantsOf(bench: BenchCase, wanted: readonly string[] | undefined): Entrant[] {
  return bench.subjects
    .filter(({ name }) => wanted === undefined || wanted.includes(name))
    .flatMap(({ name, variants, folder = bench.folder, run }) =>
      variants.map((variant): Entrant => {
        if (run === undefined) return { name, variant, path: join(folder, `${name}.ts`) }
        return { name, variant, path: '', run: (spec) => run({ ...spec, case: bench.name, variant }) }
      }),
    )
    .filter(({ path, run }) => run !== undefined || existsSync(path))
}

function alsoFor(bench: BenchCase, { name, variant }: Entrant): Results | undefined {
  const entrant = entrantOf(bench, name, variant)
  return existsSync(entrant.path) ? { entrant, runs: [], correct: true } : undefined
}

async function runOnce(
  result: Results,
  spec: RunSpec,
  reference: Outcome | undefined,
  log: RunOptions['log'],
  run: number,
): Promise<void> {
  const { entrant, runs } = result
  const figures = await measured(entrant, spec)
  const ok = reference === undefined || (figures.rows === reference.rows && figures.checksum === reference.checksum)
  runs.push(figures)
  if (!ok) result.correct = false
  const rate = Math.round(figures.records / figures.cpuSeconds).toLocaleString('en-US')
  const wrong = ok
    ? ''
    : `, WRONG: ${figures.rows} rows ${figures.checksum}, not ${reference.rows} ${reference.checksum}`
  log(`${entrant.name} (${entrant.variant}), run ${run + 1}: ${rate} records/CPU s${wrong}`)
}

async function measured(entrant: Entrant, spec: RunSpec): Promise<Measured> {
  if (entrant.run !== undefined) return entrant.run(spec)
  return runSubject(entrant.path, entrant.variant, spec)
}

/** One run, in a process of its own, of what the module at `path` exports. */
export async function runSubject(path: string, variant: string, spec: RunSpec): Promise<Measured> {
  return (await inChild({ ...spec, kind: 'subject', path, variant })) as Measured
}

/** @throws Error if the process ends without an answer. */
function inChild(job: Job): Promise<Answer> {
  const child = fork(childModule, [JSON.stringify(job)], {
    execArgv: ['--expose-gc'],
    // Standard output belongs to the report.
    stdio: ['ignore', process.stderr, 'pipe', 'ipc'],
  })
  const done = Promise.withResolvers<Answer>()
  let answer: Answer | undefined
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000)
  })
  child.on('message', (message) => {
    answer = message as Answer
  })
  child.on('error', done.reject)
  child.on('close', (code, signal) => {
    if (code === 0 && answer !== undefined) done.resolve(answer)
    else done.reject(new Error(`${job.path} ended without a result (${signal ?? `exit code ${code}`})\n${complaint}`))
  })
  return done.promise
}
