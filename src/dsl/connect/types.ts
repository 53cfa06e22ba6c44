/** Sources and sinks of one's own: what a user writes to bring records in and out where no topic is. */
import type { ErrorAction, NullKeys } from '../builder/types.ts'
import type { Row } from '../helpers.ts'
import type { StepOptions } from '../options.ts'
import type { HeadersInit, RawRecord, RecordView } from '../records.ts'
import type { Serde, Serializer } from '../serdes/types.ts'
import type { Duration, Timestamp } from '../time/index.ts'
import type { WatermarkFactory, WatermarkStrategy } from '../watermarks/index.ts'
import type { DhaaraError } from '../../errors/index.ts'

/** One record as a source gives it. A value of null is a tombstone. */
export interface SourceRecord<K, V> {
  readonly value: V | null
  /** Default: null, or what `keyOf` makes of the value. */
  readonly key?: K | null
  /** Epoch milliseconds; default: the clock when it was read, which no replay gives again. */
  readonly timestamp?: Timestamp
  readonly headers?: HeadersInit
}

/** A run of records, and where to read on behind it. */
export interface SourceBatch<K, V, P> {
  readonly records: readonly SourceRecord<K, V>[]
  readonly position: P
  /** Nothing more is there for now: who has several inputs need not wait for this one. Default: false. */
  readonly caughtUp?: boolean
}

/** As `SourceBatch`, a column each: no object a record. Columns are as long as `values`. */
export interface SourceColumns<K, V, P> {
  readonly values: readonly (V | null)[]
  readonly keys?: readonly (K | null)[]
  readonly timestamps?: ArrayLike<Timestamp>
  readonly position: P
  readonly caughtUp?: boolean
}

/** What `read` gives: a record with the position behind it, or many at once. */
export type SourceItem<K, V, P> =
  | (SourceRecord<K, V> & { readonly position: P })
  | SourceBatch<K, V, P>
  | SourceColumns<K, V, P>

/** Which partition of a source is read, and for whom. */
export interface SourceTask {
  /** Of the source. */
  readonly name: string
  readonly partition: number
  readonly partitions: number
  /** Aborted when the source is to end where it ends now (`--until-end`): who follows something that grows stops at its end. */
  readonly ending: AbortSignal
  /** Goes to the app's logger. */
  warn(message: string, fields?: object): void
}

/** How often, and how long apart, something that failed is tried again. */
export interface ConnectorRetry {
  /** The first included; default 10. */
  readonly attempts?: number
  /** Before the second attempt, doubled for each one after it; default '100ms'. */
  readonly backoff?: Duration
  /** Default '10s'. */
  readonly maxBackoff?: Duration
}

/**
 * Where records come from. From one position `read` gives the same records in the same order, whatever the batches: positions
 * are part of the checkpoint, and what a crash took back is read again. P is plain data, small.
 *
 * @example
 * builder.source('numbers', {
 *   partitions: 2,
 *   async *read(position = 0, signal) {
 *     for (let n = position; n < 100 && !signal.aborted; n++) yield { value: n, timestamp: n, position: n + 1 }
 *   },
 * })
 */
export interface Source<K, V, P> {
  /** Default 1. Each is read by a task of its own. */
  readonly partitions?: number
  /**
   * Called with the position behind the last record that a checkpoint has; undefined: from the start. When what it gives
   * comes to its end, the partition has ended.
   *
   * @param signal aborted when nobody wants more
   * @throws DhaaraError DHAARA_SOURCE_POSITION from the iteration, if the position cannot be read from any more: the app stops.
   *   Whatever else it throws is tried again, from the last position that it gave
   */
  read(
    position: P | undefined,
    signal: AbortSignal,
    task: SourceTask,
  ): AsyncIterable<SourceItem<K, V, P>> | Iterable<SourceItem<K, V, P>>
  /** All before `position` is in a checkpoint: it will never be asked for again. */
  commit?(position: P, task: SourceTask): void | Promise<void>
  readonly retry?: ConnectorRetry
  /**
   * All records of a key are in one partition: steps by key need no repartition. Default: true with one partition, else
   * false.
   */
  readonly partitionedByKey?: boolean
  /** What it is, for those who look at the topology; default 'own'. */
  readonly connector?: string
}

/** Time, keys and bad data, as for topics. */
export interface OwnSourceOptions<K, V, N extends NullKeys = 'keep'> {
  /** Default: the record's. */
  readonly timestamp?: (value: V, key: K | null, record: RecordView) => Timestamp
  readonly watermark?: WatermarkStrategy<V> | ((w: WatermarkFactory<V>) => WatermarkStrategy<V>)
  readonly onInvalid?: ErrorAction | ((error: DhaaraError, record: RawRecord) => ErrorAction)
  /** Fills a missing key. */
  readonly keyOf?: (value: V) => K
  readonly nullKeys?: N
}

/** `read` gives bytes, which serdes turn into keys and values: what they refuse meets `onInvalid`. */
export interface OwnSerdeOptions<K, V> {
  /** Default: keys stay what they are. */
  readonly key?: Serde<K>
  readonly value: Serde<V>
}

/** A source of bytes without keys, and what turns them into values: `keyOf` may make keys of those. */
export interface ValueSource<V, P> extends Source<null, Uint8Array, P> {
  readonly key?: undefined
  readonly value: Serde<V>
}

/** Records of one task and one epoch, a column each. */
export interface SinkBatch<K, V>
  extends Iterable<{ readonly key: K; readonly value: V; readonly timestamp: Timestamp }> {
  readonly length: number
  readonly keys: readonly K[]
  readonly values: readonly V[]
  readonly timestamps: readonly Timestamp[]
  /** Of record i; undefined: none. */
  headers(i: number): Readonly<Record<string, Uint8Array>> | undefined
  /** Its number in its epoch, from 0. (task, epoch, index) names it for ever. */
  readonly index: number
  /** No other one follows in its epoch. */
  readonly last: boolean
}

/** Which task of a sink writes, and for whom. */
export interface SinkTask {
  readonly applicationId: string
  /** Of the sink. */
  readonly name: string
  /** Its number among the tasks of the sink. */
  readonly partition: number
  /** How many tasks the sink has. */
  readonly partitions: number
  /**
   * Of the job's state: another one when the job begins with none. Epochs count from 1 again then, and mean other records.
   */
  readonly incarnation: string
  /** Unique in the application: 'name-partition'. */
  readonly id: string
  /** Aborted when the app gives up waiting. */
  readonly signal: AbortSignal
  /** Goes to the app's logger. */
  warn(message: string, fields?: object): void
}

/**
 * Where records go. What is written was committed before: a batch of (task, epoch, index) has the same records in the same
 * order each time it comes. After a crash the last ones come again, so that a sink is exact either by idempotence (it remembers
 * the last (epoch, index) of each task, in one transaction with the records, and skips what it has) or by two phases (`commit`
 * and `recover`).
 *
 * Epochs of a task count 1, 2, 3, …; empty ones are left out. One call at a time a task.
 */
export interface Sink<K, V> {
  /** Before anything else, once a task. */
  open?(task: SinkTask): void | Promise<void>
  /** Resolves when the batch is safe (with `commit`: when it can be committed whatever happens). Tried again if it throws. */
  write(batch: SinkBatch<K, V>, epoch: number, task: SinkTask): void | Promise<void>
  /** All batches of the epoch are written, and that they are is on record: makes them visible. Called again after a failure. */
  commit?(epoch: number, task: SinkTask): void | Promise<void>
  /**
   * Called before the first write of a run, and after a write that failed: what was written up to and including `epoch` is to
   * be visible, what was written after it is to be gone; it comes again. 0: nothing was ever written.
   */
  recover?(epoch: number, task: SinkTask): void | Promise<void>
  close?(task: SinkTask): void | Promise<void>
}

export interface OwnSinkOptions<K, V> extends StepOptions {
  /** Hands out keys as bytes. */
  readonly key?: Serializer<Row<K>>
  /** Hands out values as bytes. */
  readonly value?: Serializer<Row<V>>
  /** Most records of a batch; default 1000. */
  readonly batchRecords?: number
  readonly retry?: ConnectorRetry
  /** Bytes that may wait to be written before the job's inputs are held back; default 64 MiB. */
  readonly maxPendingBytes?: number
  /** What it is, for those who look at the topology; default 'own'. */
  readonly connector?: string
}

/** A sink with options of its own, as connectors make them. */
export interface SinkConnector<K, V> extends OwnSinkOptions<K, V> {
  /** Called once a task. */
  readonly create: (task: SinkTask) => Sink<K, V>
}
