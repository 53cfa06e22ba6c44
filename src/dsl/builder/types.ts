import type { DhaaraError } from '../../errors/index.ts'
import type { StepOptions, StoreOptions } from '../options.ts'
import type { RawRecord, RecordView } from '../records.ts'
import type { Serde } from '../serdes/types.ts'
import type { Duration, Timestamp } from '../time/index.ts'
import type { WatermarkFactory, WatermarkStrategy } from '../watermarks/index.ts'

/** What becomes of a record that cannot be processed. */
export type ErrorAction = 'fail' | 'skip' | 'deadLetter'
export type NullKeys = 'keep' | 'drop' | 'fail'

export interface SourceOptions<K, V, N extends NullKeys = 'keep'> extends StepOptions {
  readonly key?: Serde<K>
  readonly value: Serde<V>
  /** Default: the broker's timestamp. */
  readonly timestamp?: (value: V, key: K | null, record: RecordView) => Timestamp
  readonly watermark?: WatermarkStrategy<V> | ((w: WatermarkFactory<V>) => WatermarkStrategy<V>)
  /**
   * Where an app begins that has no position in the topic yet: at its first record (the default), behind its last, at the first
   * that is not older than a timestamp (epoch ms or Date). `none`: it refuses to start, with DHAARA_POSITION_NONE.
   */
  readonly offsetReset?: 'earliest' | 'latest' | 'none' | { readonly timestamp: number | Date }
  /** Bad bytes, or a schema that refuses. Default: the app's policy for `data` errors. */
  readonly onInvalid?: ErrorAction | ((error: DhaaraError, record: RawRecord) => ErrorAction)
  /** How producers key this topic: fills a missing key where dhaara is the producer (files, standard input, generators, test driver). */
  readonly keyOf?: (value: V) => K
  /** Default 'keep': the stream's key type then has null in it. */
  readonly nullKeys?: N
}

export interface TableSourceOptions<K, V> extends Omit<SourceOptions<K, V>, 'key' | 'nullKeys'> {
  readonly key: Serde<K>
  readonly store?: string | StoreOptions<Duration>
}
