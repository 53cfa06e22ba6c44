import fc from 'fast-check'
import { FrameBuilder } from '../../../src/connectors/broker/frame-builder.ts'
import type { FetchedBatch, RecordHeaders } from '../../../src/connectors/broker/log.ts'

export interface PlainRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers?: readonly (readonly [string, string])[]
}

/** Bytes are written as latin1 text in tests, so that they compare and print well. */
export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const text = (data: Buffer, start: number, end: number): string | null =>
  start < 0 ? null : data.toString('latin1', start, end)

export const frameOf = (records: readonly PlainRecord[]): Buffer => {
  const builder = new FrameBuilder()
  for (const { key, value, timestamp, headers } of records) {
    const encoded: RecordHeaders | undefined = headers?.map(([name, v]) => [name, bytes(v)])
    builder.add(key === null ? null : bytes(key), value === null ? null : bytes(value), timestamp, encoded)
  }
  return builder.finish()
}

export const frameOfValues = (...values: (string | null)[]): Buffer =>
  frameOf(values.map((value) => ({ key: null, value, timestamp: 0 })))

export const recordsOf = (batch: FetchedBatch): PlainRecord[] =>
  Array.from({ length: batch.count }, (_, i) => {
    const headers = batch.headers?.[i]
    return {
      key: text(batch.data, batch.keyStart[i]!, batch.keyEnd[i]!),
      value: text(batch.data, batch.valueStart[i]!, batch.valueEnd[i]!),
      timestamp: batch.timestamps[i]!,
      ...(headers && { headers: headers.map(([name, v]) => [name, Buffer.from(v).toString('latin1')] as const) }),
    }
  })

const anyBytes = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b).toString('latin1'))

export const anyRecord: fc.Arbitrary<PlainRecord> = fc
  .record({
    key: fc.option(anyBytes),
    value: fc.option(anyBytes),
    timestamp: fc.integer({ min: -1, max: 4e12 }),
    headers: fc.option(fc.array(fc.tuple(fc.string(), anyBytes), { minLength: 1, maxLength: 3 }), { nil: undefined }),
  })
  .map(({ headers, ...rest }) => (headers === undefined ? rest : { ...rest, headers }))
