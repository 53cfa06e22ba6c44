import type { SourceItem, SourceTask } from '../../dsl/connect/index.ts'
import type { OwnSourceSpec } from '../../dsl/plan/index.ts'
import type { Clock } from '../../dsl/time/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { backoff, pause } from './backoff.ts'
import { Chunk, type SourcePosition } from './chunk.ts'

/** Records that are read ahead of the task: then the source waits. */
const AHEAD = 4096

/** Where a reader is run. */
export interface ReaderHost {
  readonly clock: Clock
  /** Something is at hand. */
  wake(): void
  warn(message: string, fields?: object): void
}

/**
 * Reads one partition of a source ahead of its task. What `read` throws is tried again from the last position that it gave;
 * what stays broken is thrown from `take`.
 */
export class SourceReader {
  private readonly spec: OwnSourceSpec
  private readonly host: ReaderHost
  private readonly task: SourceTask
  private readonly closing = new AbortController()
  private readonly ending = new AbortController()
  private queue: Chunk[] = []
  private ahead = 0
  private room: () => void = () => {}
  private failure: DhaaraError | undefined
  private finished = false
  /** Behind the last record that was read, and how many there were. */
  private position: unknown
  private offset: number
  private skip: number
  /** The last that came said that nothing more is there for now. */
  caughtUp = false

  constructor(
    spec: OwnSourceSpec,
    { name, partition }: { readonly name: string; readonly partition: number },
    start: SourcePosition,
    host: ReaderHost,
  ) {
    this.spec = spec
    this.host = host
    this.position = start.position
    this.offset = start.offset - start.skip
    this.skip = start.skip
    const { partitions } = spec
    const warn = (message: string, fields?: object) => host.warn(message, { source: name, partition, ...fields })
    this.task = { name, partition, partitions, ending: this.ending.signal, warn }
    void this.run()
  }

  /** The next records. @throws DhaaraError what reading came to */
  take(): Chunk | undefined {
    const chunk = this.queue.shift()
    if (chunk === undefined) {
      if (this.failure !== undefined) throw this.failure
      return undefined
    }
    this.ahead -= chunk.count
    if (this.ahead < AHEAD) this.room()
    return chunk
  }

  /** Whoever took it has processed the records before `from`, and lets go: the rest is taken again. */
  giveBack(chunk: Chunk, from: number): void {
    if (from >= chunk.count) return
    chunk.skip = from
    this.queue.unshift(chunk)
    this.ahead += chunk.count
  }

  get waiting(): boolean {
    return this.queue.length > 0 || this.failure !== undefined
  }

  /** All was taken, and nothing will come. */
  get ended(): boolean {
    return this.finished && this.queue.length === 0
  }

  /** The source is to end where it ends now. */
  end(): void {
    this.ending.abort()
  }

  /** All before this is in a checkpoint. */
  commit(position: unknown): void {
    const { commit } = this.spec
    if (commit === undefined || position === undefined) return
    void (async () => commit(position, this.task))().catch((error: unknown) =>
      this.task.warn('commit of the source failed; it is told again with the next checkpoint', {
        error: String(error),
      }),
    )
  }

  close(): void {
    this.closing.abort()
    this.queue = []
    this.room()
  }

  private async run(): Promise<void> {
    const { signal } = this.closing
    const { retry } = this.spec
    for (let failed = 0; !signal.aborted && !this.finished; ) {
      const before = this.offset
      try {
        await this.pump(signal)
        if (!signal.aborted) this.finished = true
      } catch (error) {
        if (signal.aborted) return
        failed = this.offset > before ? 1 : failed + 1
        if (isFinal(error) || failed >= retry.attempts) {
          this.failure = asFailure(error, this.task, failed)
          break
        }
        this.task.warn('reading failed; it is tried again', { error: String(error), attempt: failed })
        await pause(backoff(failed, retry), this.host.clock, signal)
      }
    }
    if (!signal.aborted) this.host.wake()
  }

  private async pump(signal: AbortSignal): Promise<void> {
    const items = this.spec.read(this.position, signal, this.task) as AsyncIterable<
      SourceItem<unknown, unknown, unknown>
    >
    // an iterator that is left is told so; one that hangs is not waited for
    for await (const item of items) {
      if (signal.aborted) return
      this.put(item)
      while (this.ahead >= AHEAD && !signal.aborted) await new Promise<void>((resolve) => (this.room = resolve))
      if (signal.aborted) return
    }
  }

  private put(item: SourceItem<unknown, unknown, unknown>): void {
    const single = typeof item === 'object' && item !== null && 'value' in item
    const last = this.queue.at(-1)
    // records that come one by one travel together
    const chunk = single && last?.positions !== undefined ? last : new Chunk(this.position)
    const was = chunk.count
    if (chunk !== last) chunk.base = this.offset
    chunk.add(item, this.task.name, this.host.clock.now())
    const n = chunk.count - was
    // what a checkpoint has of the records behind its position: they come first
    const skipped = Math.min(n, this.skip)
    chunk.skip += skipped
    this.skip -= skipped
    this.position = chunk.after
    this.offset += n
    this.ahead += n
    this.caughtUp = chunk.caughtUp
    if (chunk !== last) this.queue.push(chunk)
    this.host.wake()
  }
}

const isFinal = (error: unknown): boolean =>
  error instanceof DhaaraError && (error.code === 'DHAARA_SOURCE_POSITION' || error.code === 'DHAARA_SOURCE_RECORD')

function asFailure(error: unknown, { name, partition }: SourceTask, attempts: number): DhaaraError {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  if (isFinal(error)) {
    const { code, message } = error as DhaaraError
    return new DhaaraError(code as never, `source '${name}' partition ${partition}: ${message}`, {
      step: name,
      cause: error,
    })
  }
  return new DhaaraError(
    'DHAARA_SOURCE_FAILED',
    `source '${name}' partition ${partition} could not be read, ${attempts} times in a row; at last: ${text}. The job goes on from its last checkpoint when it is started again`,
    { step: name, cause: error },
  )
}
