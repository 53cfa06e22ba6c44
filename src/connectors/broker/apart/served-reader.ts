import { sendError } from '../../../errors/sent-error.ts'
import type { ReaderOptions, RemoteLog, RemoteReader } from '../remote.ts'
import { type ReadNews, sizeOf } from './messages.ts'
import { SpareMemory } from '../spare-memory.ts'
import { pack } from './pack.ts'

interface Partition {
  readonly topic: string
  readonly partition: number
  version: number
  at: number
  end: number
  /** Bytes that were sent and not taken. */
  waiting: number
  failed: boolean
}

/** Most bytes that wait in the other thread: of a partition, and of all. A partition with none waiting gets its next batch. */
const mostOfOne = 2 << 20
const mostOfAll = 16 << 20
const block = 256 << 10

/** Reads for another thread: decodes here, and sends batches ahead of what is taken there. */
export class ServedReader {
  readonly #reader: RemoteReader
  readonly #partitions = new Map<string, Partition>()
  readonly #send: (news: ReadNews, memory: ArrayBuffer[]) => void
  readonly #spare = new SpareMemory(block, mostOfAll)
  #waiting = 0

  constructor(
    log: RemoteLog,
    options: Omit<ReaderOptions, 'onData'>,
    send: (news: ReadNews, memory: ArrayBuffer[]) => void,
  ) {
    this.#send = send
    this.#reader = log.reader({ ...options, onData: () => this.#pump() })
  }

  add(topic: string, partition: number, offset: number, version: number): void {
    const key = `${partition}/${topic}`
    const state = { topic, partition, version, at: offset, end: Number.NaN, waiting: 0, failed: false }
    this.#partitions.set(key, state)
    this.#reader.add(topic, partition, offset)
    this.#drain(state)
  }

  remove(topic: string, partition: number): void {
    const state = this.#partitions.get(`${partition}/${topic}`)
    if (state === undefined) return
    this.#waiting -= state.waiting
    this.#partitions.delete(`${partition}/${topic}`)
    this.#reader.remove(topic, partition)
  }

  pause(topic: string, partition: number): void {
    this.#reader.pause(topic, partition)
  }

  resume(topic: string, partition: number): void {
    this.#reader.resume(topic, partition)
  }

  seek(topic: string, partition: number, offset: number, version: number): void {
    const state = this.#partitions.get(`${partition}/${topic}`)
    if (state === undefined) return
    this.#waiting -= state.waiting
    Object.assign(state, { version, at: offset, waiting: 0, failed: false })
    this.#drain(state)
  }

  taken(topic: string, partition: number, version: number, bytes: number): void {
    const state = this.#partitions.get(`${partition}/${topic}`)
    if (state === undefined || state.version !== version) return
    state.waiting -= bytes
    this.#waiting -= bytes
    this.#pump()
  }

  /** Memory in which a batch was sent, and that nobody needs there. */
  done(memory: ArrayBuffer): void {
    this.#spare.give(memory)
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  #pump(): void {
    for (const state of this.#partitions.values()) this.#drain(state)
  }

  #drain(state: Partition): void {
    const { topic, partition, version } = state
    const head = { topic, partition, version }
    while (!state.failed && (state.waiting === 0 || (state.waiting < mostOfOne && this.#waiting < mostOfAll))) {
      try {
        const batch = this.#reader.take(topic, partition, state.at)
        if (batch === undefined) break
        const { sent, memory } = pack(batch, (size) => this.#spare.take(size))
        const bytes = sizeOf(batch)
        this.#reader.done(batch)
        state.at = batch.nextOffset
        state.waiting += bytes
        this.#waiting += bytes
        state.end = this.#reader.end(topic, partition)
        this.#send({ ...head, end: state.end, batch: sent }, memory)
      } catch (error) {
        state.failed = true
        this.#send({ ...head, end: state.end, error: sendError(error) }, [])
      }
    }
    const end = this.#reader.end(topic, partition)
    if (Object.is(end, state.end)) return
    state.end = end
    this.#send({ ...head, end }, [])
  }
}
