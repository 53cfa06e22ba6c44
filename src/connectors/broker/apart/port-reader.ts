import { DhaaraError } from '../../../errors/index.ts'
import { receiveError } from '../../../errors/sent-error.ts'
import type { FetchedBatch } from '../log.ts'
import type { RemoteReader } from '../remote.ts'
import { type ReadNews, type SentBatch, sizeOf } from './messages.ts'

interface Partition {
  version: number
  /** Where the first batch of the queue begins. */
  at: number
  end: number
  readonly queue: SentBatch[]
  failure: Error | undefined
}

/** Takes what the thread of the log has read ahead. */
export class PortReader implements RemoteReader {
  readonly #partitions = new Map<string, Partition>()
  readonly #tell: (method: string, ...args: unknown[]) => void
  readonly #giveBack: (memory: ArrayBuffer) => void
  readonly #onData: () => void
  readonly #close: () => Promise<void>
  #version = 0

  constructor(
    tell: (method: string, ...args: unknown[]) => void,
    giveBack: (memory: ArrayBuffer) => void,
    onData: (() => void) | undefined,
    close: () => Promise<void>,
  ) {
    this.#tell = tell
    this.#giveBack = giveBack
    this.#onData = onData ?? (() => {})
    this.#close = close
  }

  add(topic: string, partition: number, offset: number): void {
    const key = `${partition}/${topic}`
    if (this.#partitions.has(key)) return
    const version = ++this.#version
    this.#partitions.set(key, { version, at: offset, end: Number.NaN, queue: [], failure: undefined })
    this.#tell('add', topic, partition, offset, version)
  }

  remove(topic: string, partition: number): void {
    if (this.#partitions.delete(`${partition}/${topic}`)) this.#tell('remove', topic, partition)
  }

  pause(topic: string, partition: number): void {
    this.#tell('pause', topic, partition)
  }

  resume(topic: string, partition: number): void {
    this.#tell('resume', topic, partition)
  }

  take(topic: string, partition: number, offset: number): FetchedBatch | undefined {
    const state = this.#of(topic, partition)
    if (state.at !== offset) {
      state.version = ++this.#version
      state.at = offset
      state.queue.length = 0
      state.failure = undefined
      this.#tell('seek', topic, partition, offset, state.version)
      return undefined
    }
    const batch = state.queue.shift()
    if (batch === undefined) {
      if (state.failure !== undefined) throw state.failure
      return undefined
    }
    state.at = batch.nextOffset
    this.#tell('taken', topic, partition, state.version, sizeOf(batch))
    const { data } = batch
    return { ...batch, topic, partition, data: Buffer.from(data.buffer, data.byteOffset, data.length) }
  }

  done({ timestamps: { buffer } }: FetchedBatch): void {
    // given back already
    if (buffer.byteLength > 0) this.#giveBack(buffer as ArrayBuffer)
  }

  end(topic: string, partition: number): number {
    return this.#of(topic, partition).end
  }

  close(): Promise<void> {
    this.#partitions.clear()
    return this.#close()
  }

  /** @internal */
  hear({ topic, partition, version, end, batch, error }: ReadNews): void {
    const state = this.#partitions.get(`${partition}/${topic}`)
    if (state === undefined || state.version !== version) return
    state.end = end
    if (batch !== undefined) state.queue.push(batch)
    if (error !== undefined) state.failure = receiveError(error)
    this.#onData()
  }

  #of(topic: string, partition: number): Partition {
    const state = this.#partitions.get(`${partition}/${topic}`)
    if (state !== undefined) return state
    throw new DhaaraError('DHAARA_INTERNAL', `${topic}[${partition}] is not read here`)
  }
}
