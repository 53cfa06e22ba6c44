import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Broker,
  connectDirectory,
  embeddedBroker,
  type RunSummary,
  serdes,
  StreamsApp,
  type Topology,
} from '../../src/index.ts'
import { clear, readMark, writeMark } from './data-dir.ts'
import { type Live, LiveRows } from './live.ts'
import { command, type GeneratorParams, parseRunOptions, type RunOptions } from './options.ts'
import { readOutputs, type Wanted } from './outputs.ts'
import { Progress, type Standing } from './progress.ts'
import type { Outputs } from './rows.ts'
import { type Input, Sender } from './sender.ts'
import { grouped, paint, type Style, styleOf } from './terminal.ts'

/** An example: a topology, the events that it is shown with, and what there is to see in the end. */
export interface Job {
  readonly name: string
  /** What starts it, ready for options. */
  readonly command: string
  readonly topology: Topology
  /** Events unless told otherwise. */
  readonly count: number
  /** In the order of their arrival; the same parameters give the same events. */
  readonly inputs: (params: GeneratorParams) => Iterable<Input>
  /** The name under which progress counts this event, if any. */
  readonly counts: (input: Input) => string | undefined
  readonly lateTopic: string
  /** What is shown as it comes. */
  readonly live?: Live
  /** What the report reads. */
  readonly outputs: Readonly<Record<string, Wanted>>
  readonly report: (outputs: Outputs, style: Style) => string
  /** Builds a page of its own, which `--http` serves beside the console; gives its folder. */
  readonly page?: () => Promise<string>
  /** What to ask `dhaara` after a run, and why. */
  readonly next: readonly (readonly [command: string, why: string])[]
}

/** Runs an example as its command line says. */
export function main(job: Job): Promise<void> {
  const parse = () => parseRunOptions(process.argv.slice(2), { count: job.count, dir: `data/${job.name}` })
  return command(async (options: RunOptions) => {
    const style = styleOf()
    const interrupted = new AbortController()
    // the second one ends the process at once
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
    process.stdout.on('error', () => interrupted.abort()) // the reader went away (`| head`)
    if (!options.keep) clear(options.dir, job.name)

    const summary = await run(job, options, { style, signal: interrupted.signal })
    if (interrupted.signal.aborted) {
      console.log(`Stopped cleanly. To go on from here: ${job.command} --keep`)
      return
    }
    process.stdout.write(`\n${job.report(await readOutputs(options.dir, job.outputs), style)}\n`)
    process.stdout.write(`${closing(job, options, summary, style)}\n`)
  }, parse)
}

/**
 * Sends the job's events while the app runs, until all are processed or the signal asks to stop. In a directory with a former
 * run's events it goes on after them.
 */
export async function run(
  job: Job,
  { params, rate, dir, partitions, http }: RunOptions,
  { style, signal }: { readonly style: Style; readonly signal: AbortSignal },
): Promise<RunSummary> {
  const mark = readMark(dir, job.name) ?? { example: job.name, params, partitions }
  const sentBefore = await recordsIn(dir)
  const broker = embeddedBroker({ dir, partitions: mark.partitions })
  const pages = http === undefined || job.page === undefined ? {} : { pages: { [job.name]: await job.page() } }
  const served = http === undefined ? {} : { http: { port: http, ...pages } }
  await using app = new StreamsApp({ applicationId: job.name, topology: job.topology, broker, signal, ...served })
  await app.start()
  if (http !== undefined) {
    console.log(`Console: ${app.httpUrl}/ (Ctrl-C ends)`)
    if (job.page !== undefined) console.log(`Its own page: ${app.httpUrl}/pages/${job.name}/`)
  }
  writeMark(dir, mark)

  const failed = new AbortController()
  let checkpoints = 0
  app.on('checkpoint', () => checkpoints++)
  app.on('error', () => failed.abort())

  const reading = new AbortController()
  const late = new LateRows(broker, job.lateTopic, reading.signal)
  const live = job.live === undefined ? undefined : new LiveRows(broker, job.live, style, reading.signal)
  const sender = new Sender(broker, job, sentBefore)
  const look = (): Standing => {
    const { recordsIn = 0, watermark = Number.NaN } = app.metrics()
    const { sent, counted } = sender
    return {
      sent,
      total: mark.params.count,
      processed: recordsIn,
      watermark,
      counted: { ...counted, late: late.count },
      checkpoints,
    }
  }
  using _ = new Progress(look, style, process.stdout, () => live?.take() ?? [])
  await sender.send(job.inputs(mark.params), rate, AbortSignal.any([signal, failed.signal]))
  if (http === undefined) app.endInputs()
  try {
    return await app.completed
  } finally {
    reading.abort()
    await late.read
    await live?.read
  }
}

/** Counts the rows of a topic as they come. */
class LateRows {
  count = 0
  readonly read: Promise<void>

  constructor(broker: Broker, topic: string, signal: AbortSignal) {
    this.read = this.#read(broker.consumer(topic, { value: serdes.json(), signal }))
  }

  async #read(rows: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of rows) this.count++
  }
}

/** How many records each topic of a former run holds. */
async function recordsIn(dir: string): Promise<ReadonlyMap<string, number>> {
  if (!existsSync(join(dir, 'dhaara.json'))) return new Map()
  await using client = await connectDirectory(dir)
  const topics = await client.topics()
  return new Map(topics.map(({ name, partitions }) => [name, partitions.reduce((sum, { end }) => sum + end, 0)]))
}

function closing({ name, next }: Job, { dir }: RunOptions, summary: RunSummary, style: Style): string {
  const { recordsIn, recordsOut, epochs, elapsedMs } = summary
  const rate = grouped(Math.round((recordsIn * 1000) / elapsedMs))
  return [
    `${grouped(recordsIn)} events in, ${grouped(recordsOut)} rows out in ${(elapsedMs / 1000).toFixed(1)} s ` +
      `(${rate} events a second), ${grouped(epochs)} checkpoints, each of them exactly once.`,
    `Topics and state are in ${dir}.`,
    '',
    paint('Try next', 'bold', style),
    ...next.flatMap(([command, why]) => [
      paint(`  # ${why}`, 'dim', style),
      `  npm run -s dhaara -- ${command} --dir ${dir} --module examples/${name}`,
    ]),
  ].join('\n')
}
