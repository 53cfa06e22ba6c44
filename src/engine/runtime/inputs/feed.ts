import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import type { Step } from '../../plan/physical.ts'
import type { InputTime } from '../../time/inputs.ts'
import type { Channel } from '../channels/channel.ts'
import { noBatch, offsetAt, type RecordBatch } from '../record.ts'

export type RunBatch = (batch: RecordBatch, from: number, to: number, time: InputTime) => void

/** An input's two ways through its sub-topology. */
export interface Runs {
  readonly run: RunBatch
  readonly timed: RunBatch
}

/**
 * One ordered flow of records into a task: a topic partition, or a channel from one producing task.
 * It holds the batch that is being worked on, and how far.
 */
export abstract class Feed {
  /** Unique in its task, and stable over changes of the topology that leave it there. */
  readonly name: string
  readonly step: Step
  readonly time: InputTime
  readonly run: RunBatch
  /** The same, reading the clock between steps. */
  readonly timed: RunBatch
  batch: RecordBatch = noBatch
  cursor = 0

  constructor(name: string, step: Step, time: InputTime, { run, timed }: Runs) {
    this.name = name
    this.step = step
    this.time = time
    this.run = run
    this.timed = timed
  }

  /** Is a record at hand? Takes the next batch if the present one is done. */
  ready(): boolean {
    return this.cursor < this.batch.count || this.refill()
  }

  /** Timestamp of the next record, if `ready`. */
  get head(): number {
    return this.batch.timestamps[this.cursor] as number
  }

  protected abstract refill(): boolean
  /** Nothing is at hand, but more is known to exist, or may come with timestamps below `head`. */
  abstract more(head: number): boolean
}

/**
 * Records that are decoded at once. What is decoded lives until it is processed; were it more, most of it would outlive a
 * collection of the young generation, which then grows beyond what the processor's caches hold.
 */
const chunk = 256

/** Where a topic partition's records come from. */
export interface TopicSource {
  fetch(offset: number): FetchedBatch | undefined
  /** Records [from, to) of a run. */
  decode(fetched: FetchedBatch, from: number, to: number): RecordBatch
  /** More is known to exist from this offset on. */
  behind(offset: number): boolean
  /** false: what decoding it needs has been asked for, and is not there yet. The host is woken when it is. */
  prepare?(fetched: FetchedBatch): boolean
  /** All of it was processed, and nothing that came of it looks into its memory. Absent where something may. */
  done?(fetched: FetchedBatch): void
}

/** Records from outside of the app. */
export abstract class InputFeed extends Feed {
  /** Wall clock at the last record; at first, at the start. */
  activeAt = Number.NaN
  /** Has it ever had a record? */
  touched = false

  /** More is there already. */
  protected abstract get behind(): boolean

  /** Idle: caught up, and silent for its idle time; one that never had a record, for `maxTaskIdle`. */
  judge(now: number, maxTaskIdle: number): void {
    if (this.cursor < this.batch.count || this.behind) {
      this.activeAt = now
      return
    }
    if (Number.isNaN(this.activeAt)) this.activeAt = now
    const { time } = this
    const spec = time.spec
    if (time.ended || spec === undefined || spec.idleAfter === null) return
    const silent = now - this.activeAt
    if (!time.idle && silent >= (this.touched ? spec.idleAfter : Math.min(maxTaskIdle, spec.idleAfter)))
      time.setIdle(true)
    if (time.idle && spec.followClock && time.max > Number.NEGATIVE_INFINITY)
      time.follow(time.max - spec.bound - 1 + silent)
  }
}

export class TopicFeed extends InputFeed {
  readonly topic: string
  readonly partition: number
  /** Offset after the last record of `batch`. */
  private after: number
  private readonly source: TopicSource
  /** What was fetched last, and how far it has been decoded. */
  private fetched: FetchedBatch | undefined = undefined
  private decoded = 0
  /** What `batch` was decoded from to its end: done with when the last of `batch` is. */
  private last: FetchedBatch | undefined = undefined
  /** Of a global table: all partitions are read, before anything else. */
  readonly global: boolean
  /** A bounded input: it ends at this offset. */
  until = Number.POSITIVE_INFINITY

  constructor(
    step: Step,
    time: InputTime,
    runs: Runs,
    topic: string,
    partition: number,
    position: number,
    source: TopicSource,
  ) {
    const global = step.op.kind === 'source' && step.op.global
    super(global ? `${step.name}|${topic}|${partition}` : `${step.name}|${topic}`, step, time, runs)
    this.global = global
    this.topic = topic
    this.partition = partition
    this.after = position
    this.source = source
  }

  /** Offset of the first record that has not been processed. */
  get position(): number {
    const { batch, cursor } = this
    return cursor >= batch.count ? this.after : offsetAt(batch, cursor)
  }

  protected refill(): boolean {
    this.leave()
    while (this.after < this.until) {
      const fetched = this.fetched ?? this.source.fetch(this.after)
      if (fetched === undefined) return false
      if (this.decoded === 0 && this.source.prepare?.(fetched) === false) {
        this.fetched = fetched
        return false
      }
      const from = this.decoded
      // what cannot be decoded under 'fail' is not tried twice
      this.fetched = undefined
      this.decoded = 0
      const to = Math.min(from + chunk, fetched.count)
      const batch = this.source.decode(fetched, from, to)
      const last = to === fetched.count
      if (!last) {
        this.fetched = fetched
        this.decoded = to
      }
      this.batch = batch
      this.cursor = 0
      this.after = last ? fetched.nextOffset : (fetched.offsets[to] as number)
      if (last) this.last = fetched
      if (batch.count > 0) return true
      this.leave()
    }
    if (this.after >= this.until) this.time.end()
    return false
  }

  /** Its records are behind it. */
  private leave(): void {
    const { last } = this
    if (last === undefined) return
    this.last = undefined
    this.batch = noBatch
    this.cursor = 0
    this.source.done?.(last)
  }

  protected get behind(): boolean {
    return this.source.behind(this.after)
  }

  more(): boolean {
    return !this.time.ended && !this.time.idle && this.after < this.until && this.source.behind(this.after)
  }
}

export class ChannelFeed extends Feed {
  readonly channel: Channel
  /** Number of the channel, if its producer runs on another thread. */
  slot: number | undefined
  /** Its producers are tasks of the same sub-topology: time there must not wait for it. */
  readonly echo: boolean

  constructor(step: Step, time: InputTime, runs: Runs, channel: Channel, echo: boolean) {
    super(`${channel.repartition.name}|${channel.producer}`, step, time, runs)
    this.channel = channel
    this.echo = echo
  }

  protected refill(): boolean {
    if (this.channel.batch.count === 0) return false
    this.batch = this.channel.take()
    this.cursor = 0
    return true
  }

  more(head: number): boolean {
    return !this.echo && !this.time.ended && !this.time.idle && this.channel.w < head
  }

  /** How many records have come in all. */
  get arrived(): number {
    return this.channel.total
  }

  /** How many records have come and were not processed. */
  get backlog(): number {
    return this.batch.count - this.cursor + this.channel.batch.count
  }

  /** The value that came last, of those that wait. */
  get newest(): unknown {
    const { batch, channel } = this
    return channel.batch.count > 0 ? channel.batch.values.at(-1) : batch.values[batch.count - 1]
  }

  /** What has not been processed, oldest first. @param from of these, those from this one on, by their number in the channel */
  waiting(from = 0): RecordBatch[] {
    const { batch, cursor, channel } = this
    return [
      slice(batch, Math.max(cursor, from - batch.baseOffset)),
      slice(channel.batch, Math.max(0, from - channel.batch.baseOffset)),
    ].filter(({ count }) => count > 0)
  }

  /** When all that was sent is processed: the producer's W is this input's. Returns whether that changed anything. */
  settle(): boolean {
    const { channel, time } = this
    if (this.cursor < this.batch.count || channel.batch.count > 0) return false
    const before = time.w
    time.setIdle(channel.idle && !channel.ended)
    if (channel.w > time.w) time.raise(channel.w)
    if (channel.ended && !time.ended) {
      time.end()
      return true
    }
    return time.w !== before
  }
}

function slice(batch: RecordBatch, from: number): RecordBatch {
  return {
    ...batch,
    count: Math.max(0, batch.count - from),
    keys: batch.keys.slice(from),
    values: batch.values.slice(from),
    olds: batch.olds?.slice(from),
    timestamps: batch.timestamps.slice(from),
    w: batch.w?.slice(from),
    places: batch.places?.slice(from),
    origins: batch.origins?.slice(from),
    headers: batch.headers?.slice(from),
    baseOffset: batch.baseOffset + from,
  }
}
