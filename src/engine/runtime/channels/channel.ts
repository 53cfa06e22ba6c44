import { keyPartition } from './partitioner.ts'
import type { CurrentRecord, RawHeaders, RecordBatch } from '../record.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { TaskClock } from '../../time/clock.ts'
import type { Repartition } from '../../plan/physical.ts'

/** What a producing task tells each of its channels, wherever they end. */
export interface Link {
  /** The producer's W when it last ran. */
  w: number
  ended: boolean
  idle: boolean
  /** Takes the three together, where they are not what is told on. */
  announce?(w: number, idle: boolean, ended: boolean): void
  /** It leads back into the sub-topology that it comes from. */
  echo: boolean
  /** A slice may begin that sends here. */
  readonly roomy: boolean
}

/**
 * Records on their way from one producing task to one consuming task of a repartition, within a thread: values are handed
 * over as they are. Each carries its producer's W; `w` is the producer's W after them all.
 */
export class Channel implements Link {
  readonly repartition: Repartition
  readonly producer: number
  readonly partition: number
  batch: RecordBatch
  /** The producer's W when it last ran. */
  w = Number.NEGATIVE_INFINITY
  ended = false
  idle = false
  echo = false
  /** Enough waits where it leads to: the producer is to begin no slice. */
  held = false
  private sent = 0

  constructor(repartition: Repartition, producer: number, partition: number) {
    this.repartition = repartition
    this.producer = producer
    this.partition = partition
    this.batch = this.empty()
  }

  push(
    key: unknown,
    value: unknown,
    old: unknown,
    ts: number,
    w: number,
    headers: RawHeaders | undefined,
    place: number,
    offset: number,
  ): void {
    const { batch } = this
    batch.keys.push(key)
    batch.values.push(value)
    batch.timestamps.push(ts)
    ;(batch.w as number[]).push(w)
    ;(batch.places as number[]).push(place)
    ;(batch.origins as number[]).push(offset)
    if (batch.olds !== undefined) batch.olds.push(old)
    if (headers !== undefined || batch.headers !== undefined) this.headed(headers)
    batch.count++
  }

  get roomy(): boolean {
    return !this.held
  }

  /** Records that were ever pushed. */
  get total(): number {
    return this.sent + this.batch.count
  }

  /** Everything that waits, as one batch. */
  take(): RecordBatch {
    const { batch } = this
    this.sent += batch.count
    this.batch = this.empty()
    return batch
  }

  /** Number of the next record, where what was in flight has been put back. */
  startAt(base: number): void {
    if (base <= this.sent) return
    this.sent = base
    this.batch = { ...this.batch, baseOffset: base }
  }

  private headed(headers: RawHeaders | undefined): void {
    const batch = this.batch as { headers: (RawHeaders | undefined)[] | undefined; count: number }
    batch.headers ??= new Array<undefined>(batch.count).fill(undefined)
    batch.headers.push(headers)
  }

  private empty(): RecordBatch {
    const { repartition, partition, sent } = this
    return {
      topic: repartition.name,
      partition,
      count: 0,
      keys: [],
      values: [],
      olds: repartition.change ? [] : undefined,
      timestamps: [],
      w: [],
      places: [],
      origins: [],
      headers: undefined,
      offsets: undefined,
      baseOffset: sent,
    }
  }
}

/** Where a producing task's records of a repartition leave it. */
export interface Outlet {
  push(
    key: unknown,
    value: unknown,
    old: unknown,
    ts: number,
    w: number,
    headers: RawHeaders | undefined,
    place: number,
    offset: number,
  ): void
}

/** The writing end of a repartition in one task: picks the partition by key. */
export class RepartitionWriter {
  private readonly outlets: readonly Outlet[]
  private readonly clock: { readonly w: number }
  private readonly rec: CurrentRecord
  private readonly only: Outlet | undefined
  private readonly copy: ((value: unknown) => unknown) | undefined
  private readonly topic: string
  private readonly partitioner: ((value: unknown, key: unknown, partitions: number) => number) | undefined

  /** @param copy given where values may be changed in place after they were sent */
  constructor(
    repartition: Repartition,
    outlets: readonly Outlet[],
    clock: { readonly w: number },
    rec: CurrentRecord,
    copy: ((value: unknown) => unknown) | undefined,
  ) {
    this.outlets = outlets
    this.only = outlets.length === 1 && repartition.partitioner === undefined ? outlets[0] : undefined
    this.clock = clock
    this.rec = rec
    this.copy = copy
    this.partitioner = repartition.partitioner
    this.topic = repartition.name
  }

  process(key: unknown, value: unknown, ts: number): void {
    const { copy, only, rec } = this
    const sent = copy === undefined ? value : copy(value)
    const outlet = only === undefined ? this.pick(key, value) : only
    outlet.push(key, sent, undefined, ts, this.clock.w, rec.rawHeaders, rec.place, rec.origin)
  }

  pick(key: unknown, value: unknown): Outlet {
    const { outlets, partitioner } = this
    const partition =
      partitioner === undefined ? keyPartition(key, outlets.length) : partitioner(value, key, outlets.length)
    const outlet = outlets[partition]
    if (outlet === undefined) throw badPartition(this.topic, partition, outlets.length)
    return outlet
  }
}

/** Writes to all tasks. */
export class BroadcastWriter {
  private readonly outlets: readonly Outlet[]
  private readonly clock: TaskClock
  private readonly rec: CurrentRecord
  private readonly copy: ((value: unknown) => unknown) | undefined

  /** @param copy given where values may be changed in place after they were sent */
  constructor(
    outlets: readonly Outlet[],
    clock: TaskClock,
    rec: CurrentRecord,
    copy: ((value: unknown) => unknown) | undefined,
  ) {
    this.outlets = outlets
    this.clock = clock
    this.rec = rec
    this.copy = copy
  }

  process(key: unknown, value: unknown, ts: number): void {
    const sent = this.copy === undefined ? value : this.copy(value)
    const { rec } = this
    for (const outlet of this.outlets)
      outlet.push(key, sent, undefined, ts, this.clock.w, rec.rawHeaders, rec.place, rec.origin)
  }
}

/** A user's partitioner may say anything. */
function badPartition(topic: string, partition: unknown, count: number): DhaaraError {
  return new DhaaraError(
    'DHAARA_OPTION',
    `the partitioner of '${topic}' gave ${String(partition)}; expected an integer from 0 to ${count - 1}`,
  )
}

/** Likewise for row changes. */
export class ChangeWriter {
  private readonly writer: RepartitionWriter
  private readonly clock: TaskClock
  private readonly rec: CurrentRecord
  private readonly copy: ((value: unknown) => unknown) | undefined

  constructor(
    repartition: Repartition,
    outlets: readonly Outlet[],
    clock: TaskClock,
    rec: CurrentRecord,
    copy: ((value: unknown) => unknown) | undefined,
  ) {
    this.writer = new RepartitionWriter(repartition, outlets, clock, rec, undefined)
    this.clock = clock
    this.rec = rec
    this.copy = copy
  }

  process(key: unknown, value: unknown, old: unknown, ts: number): void {
    const { copy, rec } = this
    const outlet = this.writer.pick(key, value ?? old)
    outlet.push(
      key,
      copy === undefined ? value : copy(value),
      copy === undefined ? old : copy(old),
      ts,
      this.clock.w,
      rec.rawHeaders,
      rec.place,
      rec.origin,
    )
  }
}
