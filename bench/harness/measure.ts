/** One run in this process: a subject, or a case's reference. */
import { readWorkload, parseRecord, type Chunk } from '../workload/chunks.ts'
import { RowSink } from './sink.ts'
import type { Measured, RunSpec } from './run.ts'
import type { Reference, Subject } from './subject.ts'
import type { Outcome } from './run.ts'

/** Wall and CPU time, running only between `start` and `stop`. */
class StopWatch {
  seconds = 0
  cpuSeconds = 0
  #wall = 0
  #cpu = 0

  start(): void {
    this.#cpu = cpuMicros()
    this.#wall = performance.now()
  }

  stop(): void {
    this.seconds += (performance.now() - this.#wall) / 1000
    this.cpuSeconds += (cpuMicros() - this.#cpu) / 1e6
  }
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** The chunks of a run. With objects in memory it is always the first one. */
function* chunksOf({ workload, input, warmUp, records }: RunSpec): Generator<Chunk> {
  if (input !== 'objects') return yield* readWorkload(workload, warmUp + records)
  const first = firstChunk(workload)
  for (let done = 0; done < warmUp + records; done += first.count) yield first
}

function firstChunk(workload: string): Chunk {
  return readWorkload(workload, 1).next().value as Chunk
}

function parseAll<T>(chunk: Chunk): T[] {
  return Array.from({ length: chunk.count }, (_, i) => parseRecord<T>(chunk, i))
}

/** Sets a subject up, warms it up, times it, and takes the outcome. */
export async function measure<T>(subject: Subject<T>, spec: RunSpec, dir: string, variant: string): Promise<Measured> {
  const sink = new RowSink()
  const objects = spec.input === 'objects' ? parseAll<T>(firstChunk(spec.workload)) : []
  const running = await subject.setup({ sink, dir, variant, objects })
  const watch = new StopWatch()
  let done = 0
  let rowsBefore = 0
  for (const chunk of chunksOf(spec)) {
    const timed = done >= spec.warmUp
    if (done === spec.warmUp) {
      await running.settle?.()
      globalThis.gc?.()
      rowsBefore = sink.rows
    }
    const parsed = spec.input === 'parsed' ? parseAll<T>(chunk) : []
    if (timed) watch.start()
    await running.run(chunk, parsed)
    if (timed) watch.stop()
    sink.drain()
    done += chunk.count
  }
  if (spec.endTimed !== false) watch.start()
  await running.finish()
  if (spec.endTimed !== false) watch.stop()
  const peakRssMb = process.resourceUsage().maxRSS / 1024
  await running.close?.()
  const outcome = sink.outcome()
  return {
    records: done - spec.warmUp,
    timedRows: outcome.rows - rowsBefore,
    seconds: watch.seconds,
    cpuSeconds: watch.cpuSeconds,
    peakRssMb,
    ...outcome,
  }
}

/** What the rows and their checksum must be. */
export function expected<T>(reference: Reference<T>, spec: RunSpec): Outcome {
  const sink = new RowSink()
  const total = spec.warmUp + spec.records
  const passes = spec.input === 'objects' ? total / firstChunk(spec.workload).count : 1
  const items = spec.input === 'objects' ? parseAll<T>(firstChunk(spec.workload)) : allRecords<T>(spec.workload, total)
  for (const row of reference(items)) {
    // Counted rows are stateless: what one pass over the objects gives, each pass gives.
    if (typeof row === 'number') sink.add(passes, row * passes)
    else sink.text(JSON.stringify(row))
  }
  return sink.outcome()
}

function* allRecords<T>(workload: string, records: number): Generator<T> {
  for (const chunk of readWorkload(workload, records)) {
    for (let i = 0; i < chunk.count; i++) yield parseRecord<T>(chunk, i)
  }
}
