import type { SinkNode, UserFn } from '../../../dsl/plan/index.ts'
import { partitionOf } from '../../../connectors/broker/partitioner.ts'
import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { encodeHeaders } from '../../../connectors/broker/record-headers.ts'
import type { Outputs, TopicOutput } from '../outputs.ts'
import type { CurrentRecord } from '../record.ts'

/** What a serde may offer beside `serialize`: JSON as text, written straight into the frame. */
interface TextSerializer {
  serialize(value: unknown, topic: string): Uint8Array
  text?(value: unknown): string
}

/** Writes a stream's records to a topic, in the serdes' bytes. */
export class SinkWriter {
  private readonly outputs: Outputs
  private readonly rec: CurrentRecord
  private readonly fixed: TopicOutput | undefined
  private readonly topicOf: UserFn | undefined
  private readonly key: TextSerializer | undefined
  private readonly value: TextSerializer | undefined
  /** What takes keys and values as text, where that is what they are. */
  private readonly keyText: TextSerializer | undefined
  private readonly valueText: TextSerializer | undefined
  private readonly partitioner: UserFn | undefined
  private readonly headers: UserFn | undefined
  /** Values come as they were read, in the same serde: their bytes go on. */
  private readonly asRead: boolean
  /** Where null keys go: records of one task stay together. */
  private readonly sticky: number

  constructor(node: SinkNode, outputs: Outputs, rec: CurrentRecord, sticky: number, asRead: boolean) {
    this.asRead = asRead
    this.outputs = outputs
    this.rec = rec
    this.fixed = typeof node.topic === 'string' ? outputs.topic(node.topic) : undefined
    this.topicOf = typeof node.topic === 'string' ? undefined : node.topic
    this.key = node.key
    this.value = node.value
    const { key, value } = this
    this.valueText = value?.text === undefined ? undefined : value
    // a partitioner wants the key's bytes
    this.keyText = key?.text === undefined || this.valueText === undefined ? undefined : key
    this.partitioner = node.partitioner
    this.headers = node.headers
    this.sticky = sticky
  }

  process(key: unknown, value: unknown, ts: number): void {
    const { rec } = this
    const output = this.fixed ?? this.outputs.topic(this.chosen(value, key))
    const { topic, builders } = output
    const single = builders.length === 1 && this.partitioner === undefined
    let keyBytes: Uint8Array | string | null = null
    if (key !== null && key !== undefined) {
      keyBytes =
        single && this.keyText !== undefined
          ? this.asText(this.keyText, key, topic, 'key')
          : typeof key === 'string' && this.key?.text !== undefined
            ? passingBytes(this.key.text(key))
            : this.encode(this.key, key, topic, 'key')
    }
    const partition = single ? 0 : this.partition(key, keyBytes as Uint8Array | null, value, builders.length)
    const builder = builders[partition]
    if (builder === undefined) throw badPartition(topic, partition, builders.length)
    const headers = this.headers === undefined ? rec.rawHeaders : (encodeHeaders(this.headers(value, key, rec)) ?? [])
    const raw = this.asRead && value !== null && rec.batch.values[rec.i] === value ? rec.rawIndex : -1
    if (raw >= 0) {
      const { data, valueStart, valueEnd } = rec.batch.raw as FetchedBatch
      builder.addSlice(keyBytes, data, valueStart[raw] as number, valueEnd[raw] as number, ts, headers)
    } else if (this.valueText !== undefined && value !== null && value !== undefined)
      builder.addText(keyBytes, this.asText(this.valueText, value, topic, 'value'), ts, headers)
    else {
      const bytes = value === null || value === undefined ? null : this.encode(this.value, value, topic, 'value')
      builder.add(typeof keyBytes === 'string' ? Buffer.from(keyBytes) : keyBytes, bytes, ts, headers)
    }
    this.outputs.written++
    if (builder.full) this.outputs.cut(output, partition)
  }

  private chosen(value: unknown, key: unknown): string {
    const topic: unknown = this.topicOf?.(value, key, this.rec)
    if (typeof topic === 'string' && topic !== '') return topic
    throw new DhaaraError(
      'DHAARA_OPTION',
      `the function that chooses a topic gave ${String(topic)}; expected a topic's name. Drop records that go nowhere with filter()`,
    )
  }

  private partition(key: unknown, bytes: Uint8Array | null, value: unknown, partitions: number): number {
    if (this.partitioner !== undefined) return this.partitioner(value, key, partitions)
    return bytes === null ? this.sticky % partitions : partitionOf(bytes, partitions)
  }

  private encode(serde: TextSerializer | undefined, value: unknown, topic: string, what: 'key' | 'value'): Uint8Array {
    if (serde === undefined) {
      if (value instanceof Uint8Array) return value
      throw new DhaaraError(
        'DHAARA_SERDE_MISSING',
        `the sink to '${topic}' has no ${what} serde, and its ${what} is no Uint8Array but ${typeof value}; give {${what}: serdes.…}`,
      )
    }
    try {
      return serde.serialize(value, topic)
    } catch (error) {
      throw unserializable(what, topic, value, error)
    }
  }

  private asText(serde: TextSerializer, value: unknown, topic: string, what: 'key' | 'value'): string {
    try {
      return (serde.text as (value: unknown) => string)(value)
    } catch (error) {
      throw unserializable(what, topic, value, error)
    }
  }
}

const passing = Buffer.allocUnsafeSlow(256)
const views: Buffer[] = []

/** Of a key that is spread and copied at once: valid until the next one. A Buffer a record costs more than all of that. */
function passingBytes(text: string): Uint8Array {
  // a UTF-16 unit has at most 3 bytes
  if (text.length * 3 > passing.length) return Buffer.from(text)
  const bytes = passing.utf8Write(text, 0)
  return (views[bytes] ??= passing.subarray(0, bytes))
}

function unserializable(what: string, topic: string, value: unknown, cause: unknown): DhaaraError {
  if (cause instanceof DhaaraError && cause.domain === 'external') return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new DhaaraError(
    'DHAARA_SERIALIZE',
    `the ${what} for '${topic}' could not be encoded: found ${describe(value)}; ${reason}`,
    { cause },
  )
}

const describe = (value: unknown): string =>
  typeof value === 'object'
    ? `an object of ${value?.constructor?.name ?? 'no class'}`
    : `${typeof value} ${String(value).slice(0, 40)}`

function badPartition(topic: string, partition: number, count: number): DhaaraError {
  return new DhaaraError(
    'DHAARA_OPTION',
    `the partitioner for '${topic}' gave ${partition}; expected an integer from 0 to ${count - 1}`,
  )
}
