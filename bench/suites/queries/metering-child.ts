/**
 * A job twice in one thread, with metering and without, which work in turn. Apart, in processes of their own, the two would differ
 * by what memory they were given more than by what they do. Its argument (JSON) is what to run; the answer goes to the parent.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { RunSpec } from '../../harness/run.ts'
import { RowSink } from '../../harness/sink.ts'
import type { Running, Subject } from '../../harness/subject.ts'
import { type Chunk, parseRecord, readWorkload } from '../../workload/chunks.ts'
import { withoutMetering } from './unmetered.ts'

export interface TurnsJob {
  readonly spec: RunSpec
  /** Of the module that exports `subject`. */
  readonly path: string
  readonly pairs: number
  /** Of each of the two, in a pair. */
  readonly turns: number
  /** Who is set up first may be compiled first. */
  readonly meteredFirst: boolean
}

export interface Turns {
  /** Processor seconds, by pair. */
  readonly on: readonly number[]
  readonly off: readonly number[]
  /** With metering, wall time, in all pairs. */
  readonly seconds: number
  /** Both gave the same rows. */
  readonly correct: boolean
}

class Side {
  seconds = 0
  cpuSeconds = 0
  readonly sink: RowSink
  private readonly running: Running<unknown>

  constructor(running: Running<unknown>, sink: RowSink) {
    this.running = running
    this.sink = sink
  }

  async run(chunk: Chunk): Promise<void> {
    const cpu = process.cpuUsage()
    const began = performance.now()
    await this.running.run(chunk, [])
    this.seconds += (performance.now() - began) / 1000
    const { user, system } = process.cpuUsage(cpu)
    this.cpuSeconds += (user + system) / 1e6
    this.sink.drain()
  }

  async end(): Promise<string> {
    await this.running.finish()
    await this.running.close?.()
    const { rows, checksum } = this.sink.outcome()
    return `${rows} ${checksum}`
  }
}

async function takeTurns({ spec, path, pairs, turns, meteredFirst }: TurnsJob, dirOf: () => string): Promise<Turns> {
  const { subject } = (await import(pathToFileURL(path).href)) as { readonly subject: Subject<unknown> }
  const { workload, input, warmUp, records } = spec
  const first = readWorkload(workload, 1).next().value as Chunk
  const objects = input === 'objects' ? Array.from({ length: first.count }, (_, i) => parseRecord(first, i)) : []
  const side = async (): Promise<Side> => {
    const sink = new RowSink()
    return new Side(await subject.setup({ sink, dir: dirOf(), variant: 'default', objects }), sink)
  }
  const early = meteredFirst ? await side() : undefined
  const bare = await withoutMetering(side)
  const metered = early ?? (await side())
  const perTurn = records / pairs / turns
  const chunks = input === 'objects' ? again(first) : readWorkload(workload, warmUp + records)
  let round = meteredFirst ? 0 : 1
  /** Each of the chunks goes to both, now to the one first and now to the other. */
  const work = async (count: number): Promise<void> => {
    const own: Chunk[] = []
    for (let done = 0; done < count; done += first.count) {
      const { value: chunk } = chunks.next()
      if (chunk === undefined) throw new Error('The workload has ended early')
      // objects are given again and again; bytes are overwritten by the next chunk
      if (input === 'objects') own.push(chunk)
      else for (const one of round++ % 2 === 0 ? [metered, bare] : [bare, metered]) await one.run(chunk)
    }
    if (own.length === 0) return
    for (const one of round++ % 2 === 0 ? [metered, bare] : [bare, metered])
      for (const chunk of own) await one.run(chunk)
  }
  for (let done = 0; done < warmUp; done += perTurn) await work(perTurn)
  const [on, off]: [number[], number[]] = [[], []]
  const { seconds } = metered
  for (let pair = 0; pair < pairs; pair++) {
    const before = [metered.cpuSeconds, bare.cpuSeconds] as const
    for (let turn = 0; turn < turns; turn++) await work(perTurn)
    on.push(metered.cpuSeconds - before[0])
    off.push(bare.cpuSeconds - before[1])
  }
  const wall = metered.seconds - seconds
  return { on, off, seconds: wall, correct: (await metered.end()) === (await bare.end()) }
}

function* again(chunk: Chunk): Generator<Chunk> {
  for (;;) yield chunk
}

if (import.meta.main) {
  const dirs: string[] = []
  const dirOf = (): string => {
    dirs.push(mkdtempSync(join(tmpdir(), 'dhaara-bench-')))
    return dirs.at(-1) as string
  }
  let found: Turns
  try {
    found = await takeTurns(JSON.parse(process.argv[2]!) as TurnsJob, dirOf)
  } finally {
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
  }
  process.send?.(found, undefined, undefined, () => process.disconnect?.())
}
