import type { FetchedBatch, RecordHeaders } from '../../../src/connectors/broker/log.ts'
import type { Rows } from '../../../src/connectors/kafka/wire/record-batch.ts'

export interface Row {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly headers?: RecordHeaders | undefined
}

export function rowsOf(rows: readonly Row[]): Rows {
  const n = rows.length
  const keyStart = new Int32Array(n)
  const keyEnd = new Int32Array(n)
  const valueStart = new Int32Array(n)
  const valueEnd = new Int32Array(n)
  const parts: Uint8Array[] = []
  let at = 0
  const put = (bytes: Uint8Array | null, start: Int32Array, end: Int32Array, i: number): void => {
    start[i] = end[i] = -1
    if (bytes === null) return
    parts.push(bytes)
    start[i] = at
    at += bytes.length
    end[i] = at
  }
  rows.forEach(({ key, value }, i) => {
    put(key, keyStart, keyEnd, i)
    put(value, valueStart, valueEnd, i)
  })
  return {
    count: n,
    data: Buffer.concat(parts),
    keyStart,
    keyEnd,
    valueStart,
    valueEnd,
    timestamps: Float64Array.from(rows, ({ timestamp }) => timestamp),
    ...(rows.some(({ headers }) => headers !== undefined) ? { headers: rows.map(({ headers }) => headers) } : {}),
  }
}

/** Keys and values as text, in order. */
export const textRows = (texts: readonly string[], key: string | null = null, timestamp = 1_700_000_000_000): Rows =>
  rowsOf(texts.map((text) => ({ key: key === null ? null : Buffer.from(key), value: Buffer.from(text), timestamp })))

export function rowAt(batch: FetchedBatch, i: number): Row & { readonly offset: number } {
  const part = (start: Int32Array, end: Int32Array): Buffer | null =>
    (start[i] as number) < 0 ? null : Buffer.from(batch.data.subarray(start[i], end[i]))
  return {
    key: part(batch.keyStart, batch.keyEnd),
    value: part(batch.valueStart, batch.valueEnd),
    timestamp: batch.timestamps[i] as number,
    headers: batch.headers?.[i],
    offset: batch.offsets[i] as number,
  }
}

export const valuesOf = (batch: FetchedBatch): string[] =>
  Array.from({ length: batch.count }, (_, i) => rowAt(batch, i).value?.toString() ?? 'null')
