import type { FetchedBatch } from '../../connectors/broker/index.ts'
import { JsonSerde } from '../../dsl/serdes/json.ts'
import type { Serde } from '../../dsl/serdes/types.ts'
import type { TopicSerdes } from '../plan-topics.ts'
import { toJson } from '../../engine/query/index.ts'

interface Reading extends Serde<unknown> {
  read?(buf: Buffer, start: number, end: number, topic: string): unknown
}

/** What a line tells besides key, value and timestamp. */
export interface RowOptions {
  /** Several topics share the output: each line names its own. */
  readonly topic?: boolean
  readonly offset?: boolean
  readonly headers?: boolean
}

/** Makes lines of records: `{"key":…,"value":…,"timestamp":…}`. JSON values are copied as they are. */
export class RowWriter {
  private readonly topic: string
  private readonly serdes: readonly TopicSerdes[]
  private readonly options: RowOptions
  private readonly head: string
  private readonly jsonValues: boolean
  private out = Buffer.allocUnsafeSlow(1 << 16)
  private at = 0

  constructor(topic: string, serdes: readonly TopicSerdes[], options: RowOptions = {}) {
    this.topic = topic
    this.serdes = serdes
    this.options = options
    this.head = options.topic ? `{"topic":${JSON.stringify(topic)},"key":` : '{"key":'
    this.jsonValues = serdes.length === 1 && serdes[0]?.value instanceof JsonSerde
  }

  /** Records [from, to) of a batch as lines, in a buffer of their own. */
  lines(batch: FetchedBatch, from = 0, to = batch.count): Buffer {
    const { data, keyStart, keyEnd, valueStart, valueEnd, timestamps } = batch
    // A line break that JSON may have between its tokens must not come into a line; this is where the next one is.
    let lineBreak = -1
    for (let i = from; i < to; i++) {
      const [start, end] = [valueStart[i] as number, valueEnd[i] as number]
      const key = this.key(data, keyStart[i] as number, keyEnd[i] as number)
      this.text(this.options.offset ? this.headWithOffset(batch, i) : this.head)
      this.text(key)
      this.text(',"value":')
      if (start < 0) this.text('null')
      else {
        if (this.jsonValues && lineBreak < start) lineBreak = nextLineBreak(data, start)
        if (this.jsonValues && end > start && lineBreak >= end) this.copy(data, start, end)
        else this.text(this.value(data, start, end))
      }
      const tail = `,"timestamp":${timestamps[i]}`
      this.text(this.options.headers ? `${tail},"headers":${headersJson(batch, i)}}\n` : `${tail}}\n`)
    }
    const lines = Buffer.from(this.out.subarray(0, this.at))
    this.at = 0
    return lines
  }

  private headWithOffset({ partition, offsets }: FetchedBatch, i: number): string {
    return `{"partition":${partition},"offset":${offsets[i]},${this.head.slice(1)}`
  }

  private key(data: Buffer, start: number, end: number): string {
    if (start < 0) return 'null'
    for (const { key } of this.serdes) {
      const read = key === undefined ? undefined : this.read(key, data, start, end)
      if (read !== undefined) return toJson(read.value)
    }
    return plainJson(data, start, end, false)
  }

  private value(data: Buffer, start: number, end: number): string {
    for (const { value } of this.serdes) {
      const read = value === undefined ? undefined : this.read(value, data, start, end)
      if (read !== undefined) return toJson(read.value)
    }
    return plainJson(data, start, end, true)
  }

  /** undefined: these are no bytes of this serde. What a schema refuses is shown all the same. */
  private read(serde: Reading, data: Buffer, start: number, end: number): { readonly value: unknown } | undefined {
    if (serde instanceof JsonSerde) return jsonAt(data, start, end)
    try {
      const value =
        serde.read === undefined
          ? serde.deserialize(data.subarray(start, end), this.topic)
          : serde.read(data, start, end, this.topic)
      return { value }
    } catch {
      return undefined
    }
  }

  private text(text: string): void {
    this.reserve(text.length * 3)
    this.at += this.out.utf8Write(text, this.at)
  }

  private copy(data: Buffer, start: number, end: number): void {
    this.reserve(end - start)
    this.at += data.copy(this.out, this.at, start, end)
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.out.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.at + bytes, this.out.length * 2))
    this.out.copy(larger, 0, 0, this.at)
    this.out = larger
  }
}

/** Bytes of which nothing is known: JSON where that is asked for and found, else text, else base64. */
export function plainJson(data: Buffer, start: number, end: number, json: boolean): string {
  const found = json ? jsonAt(data, start, end) : undefined
  if (found !== undefined) return JSON.stringify(found.value)
  const text = data.utf8Slice(start, end)
  const isText = !text.includes('\ufffd') || Buffer.from(text).equals(data.subarray(start, end))
  return isText ? JSON.stringify(text) : toJson(data.subarray(start, end))
}

function jsonAt(data: Buffer, start: number, end: number): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(data.utf8Slice(start, end)) as unknown }
  } catch {
    return undefined
  }
}

function nextLineBreak(data: Buffer, from: number): number {
  const at = data.indexOf(10, from)
  return at < 0 ? Number.POSITIVE_INFINITY : at
}

function headersJson({ headers }: FetchedBatch, i: number): string {
  const pairs = headers?.[i] ?? []
  return JSON.stringify(Object.fromEntries(pairs.map(([name, bytes]) => [name, Buffer.from(bytes).toString()])))
}
