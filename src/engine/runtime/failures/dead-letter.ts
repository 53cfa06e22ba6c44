import type { FetchedBatch, RecordHeaders } from '../../../connectors/broker/log.ts'
import type { RawRecord } from '../../../dsl/records.ts'
import type { DhaaraError } from '../../../errors/index.ts'
import { Headers, noHeaders, type RawHeaders } from '../record.ts'

interface Origin {
  readonly topic: string
  readonly partition: number
  readonly offsets: ArrayLike<number>
  readonly headers?: readonly (RecordHeaders | undefined)[]
}

/** Headers of a dead letter: what failed, where, why and when; the record's own headers stay in front. */
export function deadLetterHeaders(error: DhaaraError, origin: Origin, i: number, now: number): RawHeaders {
  return [
    ...(origin.headers?.[i] ?? []),
    ...errorHeaders(error, origin.topic, origin.partition, origin.offsets[i] ?? -1, now),
  ]
}

export function errorHeaders(
  error: DhaaraError,
  topic: string,
  partition: number,
  offset: number,
  now: number,
): RawHeaders {
  const fields: Record<string, string> = {
    'dhaara-error-code': error.code,
    'dhaara-error-message': error.message,
    'dhaara-error-step': error.step ?? '',
    'dhaara-error-stack': (error.cause instanceof Error ? error.cause.stack : error.stack) ?? '',
    'dhaara-topic': topic,
    'dhaara-partition': String(partition),
    'dhaara-offset': String(offset),
    'dhaara-time': String(now),
  }
  return Object.entries(fields).map(([name, text]) => [name, Buffer.from(text)] as const)
}

/** A record as it came, in memory of its own: users may keep it. */
export function rawAt(batch: FetchedBatch, i: number): RawRecord {
  const part = (start: number, end: number) => (start < 0 ? null : Buffer.from(batch.data.subarray(start, end)))
  const headers = batch.headers?.[i]
  return {
    topic: batch.topic,
    partition: batch.partition,
    offset: batch.offsets[i] as number,
    timestamp: batch.timestamps[i] as number,
    key: part(batch.keyStart[i] as number, batch.keyEnd[i] as number),
    value: part(batch.valueStart[i] as number, batch.valueEnd[i] as number),
    headers: headers === undefined ? noHeaders : new Headers(headers),
  }
}
