import type { RecordHeaders } from '../../connectors/broker/index.ts'
import { partitionOf } from '../../connectors/broker/index.ts'
import type { SourceNode } from '../../dsl/plan/index.ts'
import { JsonSerde } from '../../dsl/serdes/json.ts'
import type { Serde } from '../../dsl/serdes/types.ts'
import { DhaaraError } from '../../errors/index.ts'

/** 'values': a line is a value. 'records': a line is {key, value, timestamp, headers}. */
export type InputFormat = 'values' | 'records'

/** What of a source decides how its topic is written; none for a topic of which nothing is known. */
export type Written = Partial<Pick<SourceNode, 'key' | 'value' | 'keyOf'>>

/** Takes the records of one partition: a `FrameBuilder`, or what sends them elsewhere. */
export interface RecordTaker {
  add(key: Uint8Array | null, value: Uint8Array | null, timestamp: number, headers?: RecordHeaders): void
}

/** A serde as the maker uses it: those that dhaara brings read without a view on the bytes. */
interface Reading extends Serde<unknown> {
  read?(buf: Buffer, start: number, end: number, topic: string): unknown
}

const text: Written['key'] = {
  ordered: false,
  serialize: (key) => Buffer.from(typeof key === 'string' ? key : JSON.stringify(key)),
  deserialize: (bytes) => Buffer.from(bytes).toString(),
}

/**
 * Makes records of lines, as a producer of the topic would: by partition.
 *
 * A line that is no JSON becomes a record all the same, of the line's bytes: what is invalid is the source's to judge, and
 * offsets stay line numbers.
 */
export class RecordMaker {
  /** Lines whose key could not be made. */
  withoutKey = 0
  private readonly topic: string
  private readonly takers: readonly RecordTaker[]
  private readonly add: (buf: Buffer, start: number, end: number, now: number) => void
  private readonly keySerde: Serde<unknown> | undefined
  private readonly valueSerde: Reading | undefined
  private readonly keyOf: ((value: unknown) => unknown) | undefined
  /** Values lie in the topic as JSON. */
  private readonly json: boolean
  private sticky = 0

  /** @param takers one a partition */
  constructor(topic: string, source: Written, format: InputFormat, takers: readonly RecordTaker[]) {
    this.topic = topic
    this.takers = takers
    this.keySerde = source.key ?? text
    this.valueSerde = source.value
    this.json = source.value === undefined || source.value instanceof JsonSerde
    this.keyOf = source.keyOf
    this.add = format === 'records' ? this.addRecord : this.json ? this.addJson : this.addOther
  }

  /** One line; `now`: the time of a record that says none. */
  line(buf: Buffer, start: number, end: number, now: number): void {
    this.add(buf, start, end, now)
  }

  /** Records without a key go to the next partition. */
  turn(): void {
    this.sticky = (this.sticky + 1) % this.takers.length
  }

  private addJson(buf: Buffer, start: number, end: number, now: number): void {
    const key = this.keyOf === undefined ? null : this.keyAt(buf, start, end)
    this.taker(key).add(key, buf.subarray(start, end), now)
  }

  private keyAt(buf: Buffer, start: number, end: number): Uint8Array | null {
    const { valueSerde, topic } = this
    let value: unknown
    try {
      if (valueSerde?.read !== undefined) value = valueSerde.read(buf, start, end, topic)
      else value = JSON.parse(buf.utf8Slice(start, end))
    } catch {
      return null
    }
    return this.keyFor(value)
  }

  private keyFor(value: unknown): Uint8Array | null {
    try {
      const key = this.keyOf?.(value)
      return key === null || key === undefined ? null : (this.keySerde as Serde<unknown>).serialize(key, this.topic)
    } catch {
      this.withoutKey++
      return null
    }
  }

  /** JSON in the file, something else in the topic. What is no JSON, or not what the serde takes, goes as it is. */
  private addOther(buf: Buffer, start: number, end: number, now: number): void {
    const bytes = buf.subarray(start, end)
    let value: unknown
    let encoded: Uint8Array
    try {
      value = JSON.parse(buf.utf8Slice(start, end))
      if (value === null) return this.taker(null).add(null, null, now)
      encoded = (this.valueSerde as Reading).serialize(value, this.topic)
    } catch {
      return this.taker(null).add(null, bytes, now)
    }
    const key = this.keyOf === undefined ? null : this.keyFor(value)
    this.taker(key).add(key, encoded, now)
  }

  private addRecord(buf: Buffer, start: number, end: number, now: number): void {
    let line: unknown
    try {
      line = JSON.parse(buf.utf8Slice(start, end))
    } catch {
      return this.taker(null).add(null, buf.subarray(start, end), now)
    }
    const { key, value, timestamp, headers } = recordOf(line, this.topic)
    const encoded = value === null ? null : this.valueBytes(value)
    const keyBytes =
      key === undefined && this.keyOf !== undefined && value !== null
        ? this.keyFor(value)
        : key === null || key === undefined
          ? null
          : (this.keySerde as Serde<unknown>).serialize(key, this.topic)
    this.taker(keyBytes).add(keyBytes, encoded, timestamp ?? now, headersOf(headers))
  }

  private valueBytes(value: unknown): Uint8Array {
    return this.json ? Buffer.from(JSON.stringify(value)) : (this.valueSerde as Reading).serialize(value, this.topic)
  }

  private taker(key: Uint8Array | null): RecordTaker {
    const { takers } = this
    const { length } = takers
    return takers[length === 1 ? 0 : key === null ? this.sticky : partitionOf(key, length)] as RecordTaker
  }
}

interface RecordLine {
  readonly key?: unknown
  readonly value: unknown
  readonly timestamp?: number
  readonly headers?: Readonly<Record<string, string>>
}

function recordOf(line: unknown, topic: string): RecordLine {
  const record = line as RecordLine | null
  const good =
    typeof record === 'object' &&
    record !== null &&
    record.value !== undefined &&
    (record.timestamp === undefined || Number.isSafeInteger(record.timestamp)) &&
    (record.headers === undefined || (typeof record.headers === 'object' && record.headers !== null))
  if (good) return record
  throw new DhaaraError(
    'DHAARA_DESERIALIZE',
    `a line for '${topic}' is no record: ${JSON.stringify(line).slice(0, 80)}. Expected {"key":…, "value":…, "timestamp":…, "headers":{…}}, or --input-format values`,
  )
}

function headersOf(headers: RecordLine['headers']): RecordHeaders | undefined {
  if (headers === undefined) return undefined
  return Object.entries(headers).map(([name, value]) => [name, Buffer.from(String(value))] as const)
}
