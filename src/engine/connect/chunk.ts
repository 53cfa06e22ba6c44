import { encodeHeaders } from '../../connectors/broker/record-headers.ts'
import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { SourceBatch, SourceColumns, SourceItem, SourceRecord } from '../../dsl/connect/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { RawHeaders } from '../runtime/record.ts'

type AnyItem = SourceItem<unknown, unknown, unknown>

/** Where a partition of a source goes on: behind `position`, and so many records further. Part of the checkpoint. */
export interface SourcePosition {
  /** undefined: the start. */
  readonly position: unknown
  readonly skip: number
  /** Records that came before, ever: what user code sees as the offset. */
  readonly offset: number
}

export const sourceStart: SourcePosition = { position: undefined, skip: 0, offset: 0 }

/** Records of a source on their way in, a column each. */
export class Chunk {
  readonly keys: unknown[] = []
  readonly values: unknown[] = []
  readonly timestamps: number[] = []
  headers: (RawHeaders | undefined)[] | undefined = undefined
  /** Position before the first record. */
  readonly before: unknown
  /** Behind the last. */
  after: unknown
  /** Behind each record, where they came one by one. */
  positions: unknown[] | undefined = undefined
  caughtUp = false
  /** Number of the first record, counted from the source's start. */
  base = 0
  /** So many of the first records were processed before the checkpoint that the task began at. */
  skip = 0

  constructor(before: unknown) {
    this.before = before
    this.after = before
  }

  get count(): number {
    return this.values.length
  }

  /** Adds what `read` gave. @param now for records without a timestamp @throws DhaaraError DHAARA_SOURCE_RECORD */
  add(item: AnyItem, source: string, now: number): void {
    if (typeof item !== 'object' || item === null || !('position' in item)) throw noRecord(source, item)
    if ('records' in item) this.addRecords(item, source, now)
    else if ('values' in item) this.addColumns(item, source, now)
    else if ('value' in item) {
      this.addRecord(item, now)
      this.positions ??= []
      this.positions.push(item.position)
    } else throw noRecord(source, item)
    this.after = item.position
  }

  /** Where to go on when the first `n` records were processed. */
  at(n: number): SourcePosition {
    const { base, count, positions } = this
    const offset = base + n
    if (n === count) return { position: this.after, skip: 0, offset }
    if (n === 0) return { position: this.before, skip: 0, offset }
    return positions === undefined
      ? { position: this.before, skip: n, offset }
      : { position: positions[n - 1], skip: 0, offset }
  }

  private addRecords({ records, caughtUp }: SourceBatch<unknown, unknown, unknown>, source: string, now: number): void {
    for (const record of records) {
      if (typeof record !== 'object' || record === null || !('value' in record)) throw noRecord(source, record)
      this.addRecord(record, now)
    }
    this.caughtUp = caughtUp ?? false
  }

  private addRecord({ key, value, timestamp, headers }: SourceRecord<unknown, unknown>, now: number): void {
    this.keys.push(key ?? null)
    this.values.push(value ?? null)
    this.timestamps.push(timestamp ?? now)
    if (headers === undefined) return
    this.headers ??= []
    this.headers[this.values.length - 1] = encodeHeaders(headers)
  }

  private addColumns(item: SourceColumns<unknown, unknown, unknown>, source: string, now: number): void {
    const { values, keys, timestamps, caughtUp } = item
    for (const [name, column] of Object.entries({ keys, timestamps })) {
      if (column === undefined || column.length === values.length) continue
      const message = `source '${source}' gave ${values.length} values and ${column.length} ${name}; expected as many`
      throw new DhaaraError('DHAARA_SOURCE_RECORD', message, { step: source })
    }
    for (let i = 0; i < values.length; i++) {
      this.keys.push(keys?.[i] ?? null)
      this.values.push(values[i] ?? null)
      this.timestamps.push(timestamps?.[i] ?? now)
    }
    this.caughtUp = caughtUp ?? false
  }
}

/** Keys and values that are bytes, as a fetch of a topic would have brought them. */
export function fetchedOf(chunk: Chunk, topic: string, partition: number): FetchedBatch {
  const { count, keys, values, timestamps, headers, base } = chunk
  const keyStart = new Int32Array(count)
  const keyEnd = new Int32Array(count)
  const valueStart = new Int32Array(count)
  const valueEnd = new Int32Array(count)
  const offsets = new Float64Array(count)
  let size = 0
  for (let i = 0; i < count; i++) size += bytesOf(keys[i]).length + bytesOf(values[i]).length
  const data = Buffer.allocUnsafeSlow(size)
  let at = 0
  const put = (value: unknown, start: Int32Array, end: Int32Array, i: number): void => {
    if (value === null) {
      start[i] = -1
      end[i] = -1
      return
    }
    const bytes = bytesOf(value)
    data.set(bytes, at)
    start[i] = at
    at += bytes.length
    end[i] = at
  }
  for (let i = 0; i < count; i++) {
    put(keys[i], keyStart, keyEnd, i)
    put(values[i], valueStart, valueEnd, i)
    offsets[i] = base + i
  }
  const found = headers === undefined ? {} : { headers: Array.from({ length: count }, (_, i) => headers[i]) }
  const times = Float64Array.from(timestamps)
  const nextOffset = base + count
  return {
    topic,
    partition,
    count,
    data,
    keyStart,
    keyEnd,
    valueStart,
    valueEnd,
    timestamps: times,
    offsets,
    nextOffset,
    ...found,
  }
}

const none = new Uint8Array(0)

/** Bytes as they are; of anything else what a dead letter shows of it. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (value === null || value === undefined) return none
  return Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value, bigints) ?? String(value)))
}

const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

function noRecord(source: string, item: unknown): DhaaraError {
  const found = typeof item === 'object' && item !== null ? `{${Object.keys(item).join(', ')}}` : String(item)
  const expected = '{value, position}, {records: [{value}], position} or {values: […], position}'
  return new DhaaraError('DHAARA_SOURCE_RECORD', `source '${source}' gave ${found}; expected ${expected}`, {
    step: source,
  })
}
