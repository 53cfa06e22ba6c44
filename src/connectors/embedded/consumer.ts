import { DhaaraError } from '../../errors/index.ts'
import type { ConsumerOptions, EmbeddedLease, OutputRecord, RecordSerde } from '../broker/broker.ts'
import type { FetchedBatch } from '../broker/log.ts'
import { Appends } from './appends.ts'
import type { ConsumerGroup, GroupMember } from './group.ts'
import { headersText } from '../broker/record-headers.ts'

type Output<K, V> = OutputRecord<K | null, V | null>

/** A group's position is stored at least so often, in records. */
const commitEvery = 1000

interface Cursor {
  readonly partition: number
  /** The next record to hand out. */
  position: number
  batch: FetchedBatch | undefined
  index: number
  /** Everything below has been worked on. */
  done: number
  committed: number
}

export interface ConsumerContext {
  open(): Promise<EmbeddedLease>
  /** The group's members on this broker; made at first use. */
  group(name: string, topic: string, partitions: number): ConsumerGroup
  /** Keeps the process from ending while somebody waits. */
  keepAlive(): Disposable
}

/**
 * One iteration over a topic: batches of its partitions in turn. A record counts as worked on when the next one is asked for;
 * one that the loop was left at is handed out again to the group.
 */
export class EmbeddedConsumer<K, V> implements AsyncIterator<Output<K, V>, undefined>, GroupMember {
  readonly #topic: string
  readonly #options: ConsumerOptions<K, V>
  readonly #context: ConsumerContext
  #lease: EmbeddedLease | undefined
  #starting: Promise<void> | undefined
  #appends: Appends | undefined
  #group: ConsumerGroup | undefined
  #cursors: Cursor[] = []
  #turn = 0
  /** Whose record is being worked on. */
  #handed: Cursor | undefined
  #uncommitted = 0
  #waiting: Promise<void> | undefined
  #ended = false
  readonly #onAbort = (): void => void this.return()

  constructor(topic: string, options: ConsumerOptions<K, V>, context: ConsumerContext) {
    this.#topic = topic
    this.#options = options
    this.#context = context
    options.signal?.addEventListener('abort', this.#onAbort)
  }

  next(): Promise<IteratorResult<Output<K, V>, undefined>> {
    if (this.#waiting !== undefined) return this.#waiting.then(() => this.next())
    if (this.#ended || this.#options.signal?.aborted) return this.return()
    if (this.#appends === undefined) {
      this.#starting ??= this.#start()
      return this.#starting.then(
        () => this.next(),
        (error) => this.return().then(() => Promise.reject(error)),
      )
    }
    try {
      const record = this.#take()
      if (record !== undefined) return Promise.resolve({ done: false, value: record })
    } catch (error) {
      return this.return().then(() => Promise.reject(error))
    }
    const waiting = this.#wait(this.#appends)
    this.#waiting = waiting
    return waiting.then(() => this.next())
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#ended) {
      this.#ended = true
      this.#options.signal?.removeEventListener('abort', this.#onAbort)
      if (this.#starting !== undefined) await this.#starting.catch(() => undefined)
      try {
        if (this.#lease !== undefined) this.#commit()
      } finally {
        this.#group?.leave(this)
        this.#appends?.[Symbol.dispose]()
        await this.#lease?.release()
      }
    }
    return { done: true, value: undefined }
  }

  wake(): void {
    this.#appends?.wake()
  }

  async #wait(appends: Appends): Promise<void> {
    const alive = this.#context.keepAlive()
    await appends.next()
    alive[Symbol.dispose]()
    this.#waiting = undefined
  }

  async #start(): Promise<void> {
    const lease = await this.#context.open()
    this.#lease = lease
    const { partitions } = lease.ensureTopic(this.#topic)
    const { group } = this.#options
    if (group === undefined) this.#cursors = Array.from({ length: partitions }, (_, p) => this.#cursor(lease, p))
    this.#appends = new Appends(lease.log, this.#topic)
    if (group === undefined) return
    this.#group = this.#context.group(group, this.#topic, partitions)
    this.#group.join(this)
  }

  #cursor(lease: EmbeddedLease, partition: number): Cursor {
    const { group, from } = this.#options
    const { log } = lease
    const stored = group === undefined ? undefined : log.groupOffset(group, this.#topic, partition)
    const position =
      stored ?? (from === 'end' ? log.endOffset(this.#topic, partition) : log.startOffset(this.#topic, partition))
    return { partition, position, batch: undefined, index: 0, done: position, committed: stored ?? -1 }
  }

  /** The next record; undefined if there is none now. */
  #take(): Output<K, V> | undefined {
    const handed = this.#handed
    if (handed !== undefined) {
      handed.done = handed.position
      this.#handed = undefined
      if (++this.#uncommitted >= commitEvery) this.#commit()
    }
    if (this.#group !== undefined) this.#share(this.#group)
    for (let i = 0; i < this.#cursors.length; i++) {
      const cursor = this.#cursors[this.#turn % this.#cursors.length] as Cursor
      if (cursor.batch === undefined) this.#fill(cursor)
      if (cursor.batch !== undefined) return this.#hand(cursor, cursor.batch)
      this.#turn++
    }
    this.#commit()
    return undefined
  }

  #fill(cursor: Cursor): void {
    const { log } = this.#lease as EmbeddedLease
    cursor.batch = log.fetch(this.#topic, cursor.partition, cursor.position)
    cursor.index = 0
  }

  #hand(cursor: Cursor, batch: FetchedBatch): Output<K, V> {
    const i = cursor.index++
    const { data, keyStart, keyEnd, valueStart, valueEnd, timestamps, offsets, headers } = batch
    const offset = offsets[i] as number
    const key = this.#decode('key', this.#options.key, data, keyStart[i] as number, keyEnd[i] as number, cursor, offset)
    const { value: serde } = this.#options
    const value = this.#decode('value', serde, data, valueStart[i] as number, valueEnd[i] as number, cursor, offset)
    cursor.position = offset + 1
    if (cursor.index === batch.count) {
      cursor.position = batch.nextOffset
      cursor.batch = undefined
      this.#turn++
    }
    this.#handed = cursor
    return { key, value, timestamp: timestamps[i] as number, headers: headersText(headers?.[i]) }
  }

  #decode<T>(
    what: string,
    serde: RecordSerde<T> | undefined,
    data: Buffer,
    start: number,
    end: number,
    { partition }: Cursor,
    offset: number,
  ): T | null {
    if (start < 0) return null
    const bytes = data.subarray(start, end)
    // Without a serde, K is what the caller says: bytes.
    if (serde === undefined) return bytes as T
    try {
      return serde.deserialize(bytes, this.#topic)
    } catch (cause) {
      const where = `topic '${this.#topic}', partition ${partition}, offset ${offset}`
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new DhaaraError('DHAARA_DESERIALIZE', `The ${what} at ${where} cannot be decoded: ${reason}`, { cause })
    }
  }

  /** Lets go of partitions that belong to another member now, takes those that have come free. */
  #share(group: ConsumerGroup): void {
    if (this.#cursors.some(({ partition }) => !group.belongs(partition, this))) {
      this.#commit()
      for (const { partition } of this.#cursors) if (!group.belongs(partition, this)) group.release(partition, this)
      this.#cursors = this.#cursors.filter(({ partition }) => group.belongs(partition, this))
    }
    for (const partition of group.claim(this)) this.#cursors.push(this.#cursor(this.#lease as EmbeddedLease, partition))
  }

  #commit(): void {
    const { group } = this.#options
    this.#uncommitted = 0
    if (group === undefined || !this.#cursors.some(({ done, committed }) => done > committed)) return
    const { log, backend } = this.#lease as EmbeddedLease
    const transaction = log.begin(backend.batch())
    for (const { partition, done } of this.#cursors) transaction.setGroupOffset(group, this.#topic, partition, done)
    transaction.commit()
    for (const cursor of this.#cursors) cursor.committed = cursor.done
  }
}
