import type { FetchedBatch } from '../../connectors/broker/log.ts'
import { nowhere, placeAt } from './inputs/places.ts'
import type { HeadersView, RecordCopy, RecordView } from '../../dsl/records.ts'

/** Headers as they lie in frames. */
export type RawHeaders = readonly (readonly [string, Uint8Array])[]

/**
 * Records on their way through a task: a struct of arrays. `olds` only where rows' changes travel; `w`, the producer's
 * watermark before each record, and the source records that they come from, only behind a repartition; `headers` only
 * where some record has any.
 */
export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  count: number
  readonly keys: unknown[]
  readonly values: unknown[]
  readonly olds: unknown[] | undefined
  readonly timestamps: number[]
  readonly w: number[] | undefined
  /** Topic partitions, see places.ts; and offsets there. */
  readonly places?: number[] | undefined
  readonly origins?: number[] | undefined
  /** Of all records, where they were read from a topic. */
  readonly place?: number
  readonly headers: (RawHeaders | undefined)[] | undefined
  readonly offsets: ArrayLike<number> | undefined
  /** Offset of record 0, where offsets are consecutive. */
  readonly baseOffset: number
  /** The bytes it was decoded from. */
  readonly raw?: FetchedBatch | undefined
  /** Which of its records record 0 was. */
  readonly rawFrom?: number
  /** Which of its records each one was, where some were left out. */
  readonly rawIndex?: readonly number[] | undefined
}

/** Where a record lies in a topic that the topology reads. */
export interface SourceRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export const noBatch: RecordBatch = {
  topic: '',
  partition: -1,
  count: 0,
  keys: [],
  values: [],
  olds: undefined,
  timestamps: [],
  w: undefined,
  headers: undefined,
  offsets: undefined,
  baseOffset: -1,
}

export const offsetAt = ({ offsets, baseOffset }: RecordBatch, i: number): number =>
  offsets === undefined ? baseOffset + i : (offsets[i] as number)

const decoder = new TextDecoder()

export class Headers implements HeadersView {
  readonly raw: RawHeaders

  constructor(raw: RawHeaders) {
    this.raw = raw
  }

  get(name: string): Uint8Array | undefined {
    // the last one of a name counts, as in Kafka
    return this.raw.findLast(([key]) => key === name)?.[1]
  }

  text(name: string): string | undefined {
    const bytes = this.get(name)
    return bytes === undefined ? undefined : decoder.decode(bytes)
  }

  [Symbol.iterator](): Iterator<readonly [string, Uint8Array]> {
    return this.raw[Symbol.iterator]()
  }
}

export const noHeaders = new Headers([])

/**
 * The record that a task is at: one object a task, moved along. User functions get it as their third parameter.
 * `ts` is the timestamp at the present step, which a step may have changed; `own`: headers given by `forward`.
 */
export class CurrentRecord implements RecordView {
  batch: RecordBatch = noBatch
  i = -1
  ts = 0
  own: RawHeaders | undefined = undefined
  /** What failed where no record is at hand. */
  lost: { readonly key: unknown; readonly value: unknown } | undefined = undefined
  /** The source record of what comes out of time but was one: an answer of an asynchronous step. */
  private ownPlace = nowhere
  private ownOrigin = -1

  get topic(): string {
    return this.i < 0 ? '' : this.batch.topic
  }

  get partition(): number {
    return this.i < 0 ? -1 : this.batch.partition
  }

  get offset(): number {
    return this.i < 0 ? -1 : offsetAt(this.batch, this.i)
  }

  get timestamp(): number {
    return this.ts
  }

  get headers(): HeadersView {
    const raw = this.rawHeaders
    return raw === undefined ? noHeaders : new Headers(raw)
  }

  /** undefined: none. */
  get rawHeaders(): RawHeaders | undefined {
    if (this.own !== undefined) return this.own
    const { headers } = this.batch
    return headers === undefined || this.i < 0 ? undefined : headers[this.i]
  }

  /** Topic partition of the source record, see places.ts. */
  get place(): number {
    if (this.i < 0) return this.ownPlace
    const { places, place } = this.batch
    return places === undefined ? (place ?? nowhere) : (places[this.i] as number)
  }

  /** Its offset there. */
  get origin(): number {
    if (this.i < 0) return this.ownOrigin
    const { origins } = this.batch
    return origins === undefined ? this.offset : (origins[this.i] as number)
  }

  /** The source record; undefined: it is not known, or time made what is at hand. */
  get source(): SourceRecord | undefined {
    const place = placeAt(this.place)
    return place && { topic: place.topic, partition: place.partition, offset: this.origin }
  }

  /** Which record of `batch.raw` this one was; -1: its bytes are not at hand. */
  get rawIndex(): number {
    const { batch, i } = this
    if (i < 0 || batch.raw === undefined) return -1
    return batch.rawIndex === undefined ? (batch.rawFrom ?? 0) + i : (batch.rawIndex[i] as number)
  }

  /** What time triggers has no record. */
  none(): void {
    this.i = -1
    this.own = undefined
    this.ownPlace = nowhere
    this.ownOrigin = -1
  }

  /** No record is at hand, but what comes out was one. */
  answered(headers: RawHeaders | undefined, place: number, origin: number): void {
    this.i = -1
    this.own = headers
    this.ownPlace = place
    this.ownOrigin = origin
  }

  copy(): RecordCopy {
    const { topic, partition, offset, timestamp, headers } = this
    return { topic, partition, offset, timestamp, headers }
  }
}
