import { DhaaraError } from '../../errors/index.ts'
import type { RocksBackend } from '../../state/backends/index.ts'
import type { OwnedLog, TopicInfo } from './log.ts'

/** What a broker needs of a serde; every `Serde` fits. */
export interface RecordSerde<T> {
  serialize(value: T, topic: string): Uint8Array
  deserialize(bytes: Uint8Array, topic: string): T
}

export type RecordHeadersInit =
  | Readonly<Record<string, string | Uint8Array>>
  | Iterable<readonly [string, string | Uint8Array]>

export interface ProducerRecord<K, V> {
  readonly key?: K | null
  readonly value: V | null
  /** Epoch milliseconds; default: now. */
  readonly timestamp?: number
  readonly headers?: RecordHeadersInit
  /** Default: by the key, as Kafka's producers do; without a key, one partition a flush, in turn. */
  readonly partition?: number
}

/** For users' own code beside a running app. */
export interface Producer<K, V> extends AsyncDisposable {
  /** Resolves when the record is committed. Sends of one tick are committed together, and seen together. */
  send(record: ProducerRecord<K, V>): Promise<void>
  /** Commits what has been sent. */
  flush(): Promise<void>
  /** Flushes. */
  close(): Promise<void>
}

export interface OutputRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly headers: Readonly<Record<string, string>>
}

export interface ProducerOptions<K, V> {
  /** Without it, keys are null, strings or bytes. */
  readonly key?: RecordSerde<K>
  readonly value: RecordSerde<V>
}

export interface ConsumerOptions<K, V> {
  /** Without it, keys are bytes. */
  readonly key?: RecordSerde<K>
  readonly value: RecordSerde<V>
  /** Default 'beginning'. With a group: where it has not read anything yet. */
  readonly from?: 'beginning' | 'end'
  /** Consumers of one group share the topic's partitions and go on where the group was. */
  readonly group?: string
  /** Ends the iteration. */
  readonly signal?: AbortSignal
}

declare const brand: unique symbol

/** Where topics live. Made by `embeddedBroker` or `kafkaBroker`. */
export interface Broker {
  readonly kind: string
  readonly [brand]: 'broker'
  producer<K, V>(topic: string, options: ProducerOptions<K, V>): Producer<K, V>
  /** Read committed; from the start unless told otherwise. */
  consumer<K, V>(topic: string, options: ConsumerOptions<K, V>): AsyncIterable<OutputRecord<K | null, V | null>>
}

/** What a broker's implementation provides; the brand exists for the compiler alone. */
export type BrokerParts = Omit<Broker, typeof brand>

/** Answers a request that came through the directory's socket; an async iterable is streamed. Params and results: what msgpack holds. */
export type RequestHandler = (params: unknown, signal: AbortSignal) => unknown

/** The open database of an embedded broker. It stays open until all who opened it have released it. */
export interface EmbeddedLease {
  readonly backend: RocksBackend
  readonly log: OwnedLog
  /** The directory. */
  readonly path: string
  /** The topic; made with the broker's defaults if it is not there. @throws DhaaraError DHAARA_TOPIC_UNKNOWN where the broker may not make it */
  ensureTopic(name: string): TopicInfo
  /** Lets other processes call this under a name, through the directory's socket. */
  handle(name: string, handler: RequestHandler): Disposable
  /** Answers as the socket would. @throws DhaaraError DHAARA_REQUEST_UNKNOWN */
  request(name: string, params: unknown, signal: AbortSignal): unknown
  /** Idempotent. */
  release(): Promise<void>
}

/** Counts only for the call that opens the database. */
export interface EmbeddedMemory {
  /** Bytes of the block cache. */
  readonly cacheBytes?: number
  readonly memtableBytes?: number
}

/** Under this name an embedded broker keeps what the engine needs of it. */
export const lease: unique symbol = Symbol('dhaara.lease')

export interface EmbeddedBroker extends Broker, AsyncDisposable {
  readonly kind: 'embedded'
  [lease](memory?: EmbeddedMemory): Promise<EmbeddedLease>
}

export const isEmbedded = (broker: Broker): broker is EmbeddedBroker => lease in broker

/**
 * Opens the database of an embedded broker, or shares it if it is open.
 *
 * @throws DhaaraError DHAARA_OPTION for another kind of broker, DHAARA_STATE_LOCKED, DHAARA_STATE_CORRUPT,
 *   DHAARA_STATE_VERSION, DHAARA_PLATFORM
 */
export async function openEmbedded(broker: Broker, memory?: EmbeddedMemory): Promise<EmbeddedLease> {
  if (isEmbedded(broker)) return broker[lease](memory)
  throw new DhaaraError('DHAARA_OPTION', `A broker of kind '${broker.kind}' is no embedded one; use embeddedBroker()`)
}
