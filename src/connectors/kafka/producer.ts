import { DhaaraError } from '../../errors/index.ts'
import type { Producer, ProducerOptions, ProducerRecord } from '../broker/broker.ts'
import { readFrames } from '../broker/frame.ts'
import { FrameBuilder } from '../broker/frame-builder.ts'
import { RecordEncoder } from '../broker/record-encoder.ts'
import type { RemoteLog, RemoteWriter } from '../broker/remote.ts'

/** Records of one tick go together; more bytes than this do not wait for it. */
const mostBytes = 512 * 1024

interface Started {
  readonly log: RemoteLog
  readonly writer: RemoteWriter
  readonly builders: readonly FrameBuilder[]
}

/** For users' own code: idempotent, not transactional; what is sent in a tick goes in one batch a partition. */
export class KafkaProducer<K, V> implements Producer<K, V> {
  readonly #topic: string
  readonly #encoder: RecordEncoder<K, V>
  readonly #started: Promise<Started>
  #ready: Started | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting: { readonly record: ProducerRecord<K, V>; readonly done: PromiseWithResolvers<void> }[] = []
  #scheduled = false
  #closed: Promise<void> | undefined
  /** Where records without a key go until the next flush. */
  #sticky = 0

  constructor(topic: string, options: ProducerOptions<K, V>, opening: Promise<RemoteLog>) {
    this.#topic = topic
    this.#encoder = new RecordEncoder(topic, options)
    this.#started = opening.then((log) => this.#start(log))
    this.#started.catch(() => {})
  }

  send(record: ProducerRecord<K, V>): Promise<void> {
    if (this.#closed !== undefined) {
      const message = `This producer of topic '${this.#topic}' is closed; make another one`
      return Promise.reject(new DhaaraError('DHAARA_APP_STATE', message))
    }
    const done = Promise.withResolvers<void>()
    this.#waiting.push({ record, done })
    if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        this.#last = this.#sendAll()
      })
    }
    return done.promise
  }

  async flush(): Promise<void> {
    this.#last = Promise.all([this.#last, this.#sendAll()])
    await this.#last
    await this.#ready?.writer.flush()
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
      const started = await this.#started.catch(() => undefined)
      await started?.log.release()
    }
  }

  async #start(log: RemoteLog): Promise<Started> {
    try {
      const [topic] = await log.describe([this.#topic])
      if (topic === undefined) {
        throw new DhaaraError(
          'DHAARA_TOPIC_UNKNOWN',
          `There is no topic '${this.#topic}'. Create it, or correct the name`,
        )
      }
      const writer = log.writer()
      await writer.init()
      this.#ready = { log, writer, builders: Array.from({ length: topic.partitions }, () => new FrameBuilder()) }
      return this.#ready
    } catch (error) {
      await log.release()
      throw error
    }
  }

  async #sendAll(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length === 0) return
    let started: Started
    try {
      started = this.#ready ?? (await this.#started)
    } catch (error) {
      for (const { done } of waiting) done.reject(error)
      return
    }
    const { builders } = started
    const pending = builders.map((): PromiseWithResolvers<void>[] => [])
    const sends: Promise<unknown>[] = []
    for (const { record, done } of waiting) {
      try {
        const partition = this.#encoder.add(this.#encoder.encode(record), builders, this.#sticky)
        ;(pending[partition] as PromiseWithResolvers<void>[]).push(done)
        if ((builders[partition] as FrameBuilder).bytes >= mostBytes) sends.push(this.#cut(started, partition, pending))
      } catch (error) {
        done.reject(error)
      }
    }
    for (const [partition, builder] of builders.entries())
      if (builder.count > 0) sends.push(this.#cut(started, partition, pending))
    this.#sticky = (this.#sticky + 1) % builders.length
    await Promise.all(sends)
  }

  #cut({ writer, builders }: Started, partition: number, pending: PromiseWithResolvers<void>[][]): Promise<void> {
    const frame = (builders[partition] as FrameBuilder).finish()
    const own = pending[partition] as PromiseWithResolvers<void>[]
    pending[partition] = []
    const rows = readFrames(this.#topic, partition, [frame], Number.NEGATIVE_INFINITY)
    if (rows === undefined) return Promise.resolve()
    return writer.send(this.#topic, partition, rows).then(
      () => {
        for (const done of own) done.resolve()
      },
      (error) => {
        for (const done of own) done.reject(error)
      },
    )
  }
}
