import type { SourceNode, UserFn } from '../../dsl/plan/index.ts'
import type { FetchedBatch } from '../../connectors/broker/log.ts'
import { DhaaraError } from '../../errors/index.ts'
import { placeOf } from './places.ts'
import { CurrentRecord, type RawHeaders, type RecordBatch } from './record.ts'

interface FastSerde {
  deserialize(bytes: Uint8Array, topic: string): unknown
  /** Decodes where the bytes lie, without a view a record. */
  read?(data: Buffer, start: number, end: number, topic: string): unknown
}

type Reader = (data: Buffer, start: number, end: number) => unknown

export interface DecodePolicy {
  /** Throws if the record is to stop the app; else the record has been counted or dead-lettered, and is left out. */
  invalid(error: DhaaraError, source: SourceNode, batch: FetchedBatch, i: number): void
  /** No later timestamp is taken. */
  latest(): number
  /** Offsets of records that are left out, whatever is in them; mostly none. */
  readonly refused?: ReadonlySet<number> | undefined
  refuse?(source: SourceNode, batch: FetchedBatch, i: number): void
}

const LAST_TIMESTAMP = 253402300799999

/** Bytes of one source -> values. What is invalid meets the policy and never moves a watermark. */
export class SourceDecoder {
  private readonly source: SourceNode
  private readonly policy: DecodePolicy
  private readonly key: Reader
  private readonly value: Reader
  private readonly view = new CurrentRecord()
  private readonly place: number

  constructor(source: SourceNode, topic: string, partition: number, policy: DecodePolicy) {
    this.source = source
    this.place = placeOf(topic, partition)
    this.policy = policy
    this.key = reader(source.key as FastSerde | undefined, topic)
    this.value = reader(source.value as FastSerde | undefined, topic)
  }

  /** Records [from, to) of a run. */
  decode(fetched: FetchedBatch, from: number, to: number): RecordBatch {
    const { data, keyStart, keyEnd, valueStart, valueEnd, timestamps } = fetched
    const { source, view } = this
    const keys: unknown[] = []
    const values: unknown[] = []
    const times: number[] = []
    let kept: number[] | undefined
    const latest = this.policy.latest()
    const batch: RecordBatch = {
      topic: fetched.topic,
      partition: fetched.partition,
      count: 0,
      keys,
      values,
      olds: undefined,
      timestamps: times,
      w: undefined,
      headers: fetched.headers?.slice(from, to) as (RawHeaders | undefined)[] | undefined,
      offsets: fetched.offsets.subarray(from, to),
      baseOffset: fetched.offsets[from] ?? 0,
      raw: fetched,
      rawFrom: from,
      place: this.place,
    }
    view.batch = batch
    const { refused } = this.policy
    for (let i = from; i < to; i++) {
      if (refused !== undefined && refused.has(fetched.offsets[i] as number)) {
        kept ??= indices(from, i)
        this.policy.refuse?.(source, fetched, i)
        continue
      }
      try {
        let key = (keyStart[i] as number) < 0 ? null : this.key(data, keyStart[i] as number, keyEnd[i] as number)
        const value =
          (valueStart[i] as number) < 0 ? null : this.value(data, valueStart[i] as number, valueEnd[i] as number)
        if (source.own !== undefined) key = keyFor(source, key, value)
        let ts = timestamps[i] as number
        if (source.timestamp !== undefined && value !== null) {
          view.i = i - from
          view.ts = ts
          ts = timeOf(source, value, key, view)
        }
        checkTimestamp(ts, latest)
        if (key === null && source.nullKeys === 'fail') throw nullKey(source)
        keys.push(key)
        values.push(value)
        times.push(ts)
        kept?.push(i)
      } catch (error) {
        kept ??= indices(from, i)
        this.policy.invalid(asDataError(error, source.name), source, fetched, i)
      }
    }
    batch.count = keys.length
    if (kept === undefined) return batch
    return {
      ...batch,
      headers: batch.headers && kept.map((i) => batch.headers?.[i - from]),
      offsets: kept.map((i) => fetched.offsets[i] as number),
      rawIndex: kept,
    }
  }
}

/** What a source's `timestamp` says. @throws DhaaraError DHAARA_TIMESTAMP if it throws */
export function timeOf(source: SourceNode, value: unknown, key: unknown, view: CurrentRecord): number {
  try {
    return (source.timestamp as UserFn)(value, key, view)
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const message = `the timestamp function of source '${source.name}' threw ${text}; expected it to return epoch milliseconds, or a value that it can read`
    throw new DhaaraError('DHAARA_TIMESTAMP', message, { cause: error })
  }
}

/** Of sources that are no topics: `keyOf` fills a missing key. */
export const keyFor = (source: SourceNode, key: unknown, value: unknown): unknown =>
  key !== null || value === null || source.keyOf === undefined ? key : (source.keyOf(value) ?? null)

export function nullKey(source: SourceNode): DhaaraError {
  return new DhaaraError(
    'DHAARA_KEY_NULL',
    `source '${source.name}' found a record without a key, and nullKeys is 'fail'; write keyed records, or say nullKeys: 'keep' | 'drop'`,
  )
}

/** @throws DhaaraError DHAARA_TIMESTAMP */
export function checkTimestamp(ts: unknown, latest: number): void {
  const good = typeof ts === 'number' && ts >= 0 && ts <= latest && ts <= LAST_TIMESTAMP && Number.isInteger(ts)
  if (!good) throw badTimestamp(ts, latest)
}

function reader(serde: FastSerde | undefined, topic: string): Reader {
  if (serde === undefined) return (data, start, end) => data.subarray(start, end)
  const { read } = serde
  if (read !== undefined) return (data, start, end) => read.call(serde, data, start, end, topic)
  return (data, start, end) => serde.deserialize(data.subarray(start, end), topic)
}

const indices = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

export function asDataError(error: unknown, step: string): DhaaraError {
  if (error instanceof DhaaraError && error.domain === 'data')
    return new DhaaraError(error.code as never, error.message, { step, cause: error.cause ?? error })
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return new DhaaraError('DHAARA_DESERIALIZE', `a record could not be read: ${text}`, { step, cause: error })
}

function badTimestamp(ts: unknown, latest: number): DhaaraError {
  const expected = `an integer number of milliseconds from 0 to ${Math.min(latest, LAST_TIMESTAMP)}`
  return new DhaaraError(
    'DHAARA_TIMESTAMP',
    `found the timestamp ${String(ts)}; expected ${expected} (maxTimestampAhead sets how far ahead of the clock one may be)`,
  )
}
