import { DhaaraError } from '../../errors/index.ts'
import type { EmbeddedLease, Producer, ProducerOptions, ProducerRecord } from '../broker/broker.ts'
import { FrameBuilder } from '../broker/frame-builder.ts'
import type { RecordHeaders } from '../broker/log.ts'
import { partitionOf } from '../broker/partitioner.ts'
import { encodeHeaders } from '../broker/record-headers.ts'

/** Sends of one tick are one commit, up to this many bytes. */
const mostPendingBytes = 16 * 1024 * 1024

interface EncodedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly headers: RecordHeaders | undefined
  readonly partition: number | undefined
}

/** Collects what is sent in a tick into one frame a partition and commits all of them in one batch. */
export class EmbeddedProducer<K, V> implements Producer<K, V> {
  readonly #topic: string
  readonly #options: ProducerOptions<K, V>
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
  /** Where records without a key go until the next flush. */
  #sticky = 0

  constructor(topic: string, options: ProducerOptions<K, V>, opening: Promise<EmbeddedLease>) {
    this.#topic = topic
    this.#options = options
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
      const encoded = this.#encode(record)
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

  #encode(record: ProducerRecord<K, V>): EncodedRecord {
    const { timestamp = Date.now(), value, partition } = record
    if (!Number.isSafeInteger(timestamp)) {
      throw new DhaaraError(
        'DHAARA_TIMESTAMP',
        `A record for topic '${this.#topic}' has the timestamp ${timestamp}; give whole milliseconds since 1970`,
      )
    }
    return {
      key: this.#key(record.key ?? null),
      value: value === null ? null : this.#serialize('value', () => this.#options.value.serialize(value, this.#topic)),
      timestamp,
      headers: encodeHeaders(record.headers),
      partition,
    }
  }

  #key(key: K | null): Uint8Array | null {
    if (key === null) return null
    const serde = this.#options.key
    if (serde !== undefined) return this.#serialize('key', () => serde.serialize(key, this.#topic))
    if (typeof key === 'string') return Buffer.from(key)
    if (key instanceof Uint8Array) return key
    throw new DhaaraError(
      'DHAARA_SERDE_MISSING',
      `A key for topic '${this.#topic}' is neither text nor bytes, and the producer has no serde for keys: give it {key: serdes...}`,
    )
  }

  #serialize(what: string, call: () => Uint8Array): Uint8Array {
    try {
      return call()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new DhaaraError('DHAARA_SERIALIZE', `The ${what} of a record for topic '${this.#topic}': ${reason}`, {
        cause,
      })
    }
  }

  #add({ key, value, timestamp, headers, partition }: EncodedRecord): void {
    const partitions = this.#builders.length
    const to = partition ?? (key === null ? this.#sticky : partitionOf(key, partitions))
    const builder = this.#builders[to]
    if (builder === undefined) {
      throw new DhaaraError(
        'DHAARA_OPTION',
        `A record is for partition ${to}, but topic '${this.#topic}' has ${partitions}, counted from 0`,
      )
    }
    builder.add(key, value, timestamp, headers)
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
