import { partitionOf } from '../connectors/broker/partitioner.ts'
import { encodeHeaders } from '../connectors/broker/record-headers.ts'
import type { SourceNode } from '../dsl/plan/index.ts'
import { valueSerde } from '../engine/connect/value-serde.ts'
import { DhaaraError } from '../errors/index.ts'
import type { MemoryLog } from './memory-log.ts'
import type { SendOptions } from './options.ts'

/** What tests send, as a producer would write it: by the serdes of the sources, into the partitions of the keys. */
export class DriverInputs {
  private readonly sources: readonly SourceNode[]
  private readonly log: MemoryLog
  private readonly count: number
  private readonly now: () => number
  private rotating = 0

  /** @param count partitions of each topic */
  constructor(sources: readonly SourceNode[], log: MemoryLog, count: number, now: () => number) {
    this.sources = sources
    this.log = log
    this.count = count
    this.now = now
  }

  add(topic: string, source: SourceNode, value: unknown, opts: SendOptions<unknown>): void {
    const key =
      opts.key === undefined && value !== null && source.keyOf !== undefined ? source.keyOf(value) : (opts.key ?? null)
    const keyBytes =
      key === null
        ? null
        : source.key === undefined && (source.own === undefined || source.value !== undefined)
          ? (key as Uint8Array)
          : (source.key ?? valueSerde).serialize(key, topic)
    const valueBytes =
      value === null || value === undefined ? null : (source.value ?? valueSerde).serialize(value, topic)
    this.addBytes(topic, keyBytes, valueBytes, opts)
  }

  addBytes(topic: string, key: Uint8Array | null, value: Uint8Array | null, opts: SendOptions<unknown>): void {
    const partition =
      opts.partition ??
      (this.count === 1 ? 0 : key === null ? this.rotating++ % this.count : partitionOf(key, this.count))
    this.log.add(
      topic,
      partition,
      key,
      value,
      opts.timestamp ?? this.now(),
      opts.headers && encodeHeaders(opts.headers),
    )
  }

  /** @throws DhaaraError DHAARA_TOPIC_UNKNOWN */
  sourceOf(topic: string): SourceNode {
    const source = this.sources.find(({ topics, own, name }) =>
      own !== undefined ? name === topic : topics instanceof RegExp ? topics.test(topic) : topics.includes(topic),
    )
    if (source !== undefined) return source
    const known = this.sources
      .flatMap(({ topics, own, name }) => (own ? [name] : topics instanceof RegExp ? [String(topics)] : topics))
      .join(', ')
    throw new DhaaraError(
      'DHAARA_TOPIC_UNKNOWN',
      `no source of the topology reads '${topic}'; its sources read: ${known}`,
    )
  }
}

/** `{value, key?, timestamp?, headers?, partition?}` and nothing else: a record with options, not a bare value. */
export function isSendRecord(record: object): boolean {
  return Object.keys(record).every(
    (name) => name === 'value' || name === 'key' || name === 'timestamp' || name === 'headers' || name === 'partition',
  )
}
