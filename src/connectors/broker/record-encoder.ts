import { DhaaraError } from '../../errors/index.ts'
import type { ProducerOptions, ProducerRecord } from './broker.ts'
import type { FrameBuilder } from './frame-builder.ts'
import type { RecordHeaders } from './log.ts'
import { partitionOf } from './partitioner.ts'
import { encodeHeaders } from './record-headers.ts'

/** A record that a producer was given, as bytes. */
export interface EncodedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly headers: RecordHeaders | undefined
  readonly partition: number | undefined
}

/** What all producers do with a record before it goes their way. */
export class RecordEncoder<K, V> {
  readonly #topic: string
  readonly #options: ProducerOptions<K, V>

  constructor(topic: string, options: ProducerOptions<K, V>) {
    this.#topic = topic
    this.#options = options
  }

  /** @throws DhaaraError DHAARA_TIMESTAMP, DHAARA_SERIALIZE, DHAARA_SERDE_MISSING */
  encode(record: ProducerRecord<K, V>): EncodedRecord {
    const { timestamp = Date.now(), value, partition } = record
    if (!Number.isSafeInteger(timestamp)) {
      throw new DhaaraError(
        'DHAARA_TIMESTAMP',
        `A record for topic '${this.#topic}' has the timestamp ${timestamp}; give whole milliseconds since 1970`,
      )
    }
    return {
      key: this.#key(record.key ?? null),
      value: value === null ? null : this.#serialize('value', () => this.#options.value.serialize(value, this.#topic)),
      timestamp,
      headers: encodeHeaders(record.headers),
      partition,
    }
  }

  /**
   * Puts a record into the frame of its partition.
   * @param sticky where records without a key go for now
   * @returns the partition
   * @throws DhaaraError DHAARA_OPTION where there is no such partition
   */
  add(record: EncodedRecord, builders: readonly FrameBuilder[], sticky: number): number {
    const { key, value, timestamp, headers } = record
    const to = record.partition ?? (key === null ? sticky : partitionOf(key, builders.length))
    const builder = builders[to]
    if (builder === undefined) {
      throw new DhaaraError(
        'DHAARA_OPTION',
        `A record is for partition ${to}, but topic '${this.#topic}' has ${builders.length}, counted from 0`,
      )
    }
    builder.add(key, value, timestamp, headers)
    return to
  }

  #key(key: K | null): Uint8Array | null {
    if (key === null) return null
    const serde = this.#options.key
    if (serde !== undefined) return this.#serialize('key', () => serde.serialize(key, this.#topic))
    if (typeof key === 'string') return Buffer.from(key)
    if (key instanceof Uint8Array) return key
    throw new DhaaraError(
      'DHAARA_SERDE_MISSING',
      `A key for topic '${this.#topic}' is neither text nor bytes, and the producer has no serde for keys: give it {key: serdes...}`,
    )
  }

  #serialize(what: string, call: () => Uint8Array): Uint8Array {
    try {
      return call()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new DhaaraError('DHAARA_SERIALIZE', `The ${what} of a record for topic '${this.#topic}': ${reason}`, {
        cause,
      })
    }
  }
}
