import type { RecordCopy } from '../../../dsl/records.ts'
import { nowhere, placeAt, placeOf } from '../../runtime/inputs/places.ts'
import { Headers, noHeaders, type RawHeaders, type RecordBatch } from '../../runtime/record.ts'

/** A record on its way through an asynchronous step. */
export interface Request {
  /** Order of arrival in its task. */
  readonly seq: number
  readonly key: unknown
  readonly value: unknown
  readonly ts: number
  /** W before it. */
  readonly w: number
  readonly headers: RawHeaders | undefined
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Its source record, see places.ts. */
  readonly place: number
  readonly origin: number
  /** Calls made, the running one included. */
  attempt: number
  phase: 'waiting' | 'running' | 'pausing' | 'done'
  /** The running call is the fallback. */
  fallingBack: boolean
  abort: AbortController | undefined
  /** Of the running call, by the wall clock; or when a pause is over. */
  dueAt: number
  /** undefined: nothing comes of it. */
  result: { readonly value: unknown } | undefined
}

/** As it lies in the state. */
export type StoredRequest = readonly [
  key: unknown,
  value: unknown,
  ts: number,
  w: number,
  headers: RawHeaders | null,
  topic: string,
  partition: number,
  offset: number,
  source: readonly [topic: string, partition: number, offset: number] | null,
]

export const storedRequest = (one: Request): StoredRequest => [
  one.key,
  one.value,
  one.ts,
  one.w,
  one.headers ?? null,
  one.topic,
  one.partition,
  one.offset,
  stored(one),
]

function stored({ place, origin }: Request): StoredRequest[8] {
  const known = placeAt(place)
  return known === undefined ? null : [known.topic, known.partition, origin]
}

export const newRequest = (
  seq: number,
  [key, value, ts, w, headers, topic, partition, offset, source]: StoredRequest,
): Request => ({
  seq,
  key,
  value,
  ts,
  w,
  headers: headers ?? undefined,
  topic,
  partition,
  offset,
  place: source === null ? nowhere : placeOf(source[0], source[1]),
  origin: source === null ? -1 : source[2],
  attempt: 0,
  phase: 'waiting',
  fallingBack: false,
  abort: undefined,
  dueAt: Number.POSITIVE_INFINITY,
  result: undefined,
})

/** What user code sees of its record. */
export const recordOf = ({ topic, partition, offset, ts, headers }: Request): RecordCopy => ({
  topic,
  partition,
  offset,
  timestamp: ts,
  headers: headers === undefined ? noHeaders : new Headers(headers),
})

/** The record alone, for whom it fails. */
export const batchOf = ({
  topic,
  partition,
  offset,
  ts,
  key,
  value,
  headers,
  place,
  origin,
}: Request): RecordBatch => ({
  topic,
  partition,
  count: 1,
  keys: [key],
  values: [value],
  olds: undefined,
  timestamps: [ts],
  w: undefined,
  headers: headers === undefined ? undefined : [headers],
  offsets: [offset],
  baseOffset: offset,
  places: [place],
  origins: [origin],
})
