import { DhaaraError } from '../../errors/index.ts'
import type { EmbeddedLease, Producer, ProducerOptions, ProducerRecord } from '../broker/broker.ts'
import { FrameBuilder } from '../broker/frame-builder.ts'
import { type EncodedRecord, RecordEncoder } from '../broker/record-encoder.ts'

/** Sends of one tick are one commit, up to this many bytes. */
const mostPendingBytes = 16 * 1024 * 1024

/** Collects what is sent in a tick into one frame a partition and commits all of them in one batch. */
export class EmbeddedProducer<K, V> implements Producer<K, V> {
  readonly #topic: string
  readonly #encoder: RecordEncoder<K, V>
  readonly #opening: Promise<void>
  #lease: EmbeddedLease | undefined
  #failed: unknown
  #closed: Promise<void> | undefined
  /** What was sent before the database was open. */
  #early: EncodedRecord[] = []
  #builders: FrameBuilder[] = []
  #frames: [partition: number, frame: Uint8Array][] = []
  #frameBytes = 0
  #flushed: PromiseWithResolvers<void> | undefined
  /** It comes back when another thread's commit is over. */
  #deferred = false
  /** Where records without a key go until the next flush. */
  #sticky = 0

  constructor(topic: string, options: ProducerOptions<K, V>, opening: Promise<EmbeddedLease>) {
    this.#topic = topic
    this.#encoder = new RecordEncoder(topic, options)
    this.#opening = opening.then(
      (lease) => this.#opened(lease),
      (error) => {
        this.#failed = error
        this.#early = []
        this.#settle(error)
      },
    )
  }

  send(record: ProducerRecord<K, V>): Promise<void> {
    try {
      if (this.#failed !== undefined) throw this.#failed
      if (this.#closed !== undefined) {
        throw new DhaaraError('DHAARA_APP_STATE', `This producer of topic '${this.#topic}' is closed; make another one`)
      }
      const encoded = this.#encoder.encode(record)
      if (this.#lease === undefined) this.#early.push(encoded)
      else this.#add(encoded)
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.#flushed === undefined) {
      this.#flushed = Promise.withResolvers()
      if (this.#lease !== undefined) setImmediate(() => this.#commit())
    }
    const { promise } = this.#flushed
    if (this.#frameBytes >= mostPendingBytes) this.#commit()
    return promise
  }

  async flush(): Promise<void> {
    const pending = this.#flushed?.promise
    await this.#opening
    this.#commit()
    await pending
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.#lease?.release()
    }
  }

  #opened(lease: EmbeddedLease): void {
    try {
      const { partitions } = lease.ensureTopic(this.#topic)
      this.#builders = Array.from({ length: partitions }, () => new FrameBuilder())
      this.#lease = lease
      for (const record of this.#early) this.#add(record)
      this.#early = []
      this.#commit()
    } catch (error) {
      // One of the first records cannot be taken (or the topic): all of them are refused, since they share a promise.
      this.#early = []
      this.#clear()
      if (this.#lease === undefined) {
        this.#failed = error
        this.#lease = lease
      }
      this.#settle(error)
    }
  }

  #add(record: EncodedRecord): void {
    const to = this.#encoder.add(record, this.#builders, this.#sticky)
    const builder = this.#builders[to] as FrameBuilder
    if (builder.full) this.#finish(to, builder)
  }

  #finish(partition: number, builder: FrameBuilder): void {
    const frame = builder.finish()
    this.#frameBytes += frame.length
    this.#frames.push([partition, frame])
  }

  #commit(): void {
    if (this.#flushed === undefined || this.#lease === undefined) return
    const { log, backend } = this.#lease
    const busy = log.free()
    if (busy !== undefined) {
      if (this.#deferred) return
      // what is sent meanwhile is committed with it
      this.#deferred = true
      void busy.then(() => {
        this.#deferred = false
        this.#commit()
      })
      return
    }
    const transaction = log.begin(backend.batch())
    let failure: unknown
    try {
      for (const [partition, frame] of this.#frames) transaction.append(this.#topic, partition, frame)
      this.#builders.forEach((builder, partition) => {
        if (builder.count > 0) transaction.append(this.#topic, partition, builder.finishShared())
      })
      transaction.commit()
    } catch (error) {
      transaction.rollback()
      failure = error
    }
    this.#clear()
    this.#sticky = (this.#sticky + 1) % this.#builders.length
    this.#settle(failure)
  }

  #clear(): void {
    this.#frames = []
    this.#frameBytes = 0
    for (const builder of this.#builders) builder.clear()
  }

  #settle(failure: unknown): void {
    const flushed = this.#flushed
    this.#flushed = undefined
    if (failure === undefined) flushed?.resolve()
    else flushed?.reject(failure)
  }
}
