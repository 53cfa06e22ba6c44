import type { HeadersInit } from '../dsl/records.ts'
import type { Timestamp } from '../dsl/time/index.ts'
import type { AppOptions } from '../engine/app/settings/options.ts'
import type { DriverSnapshot } from './snapshot.ts'

export interface DriverOptions {
  /** The clock's first reading; default 0. */
  readonly startTime?: Timestamp
  /** Of every input topic; default 1. */
  readonly partitions?: number
  /** Records that `sendAll` hands over at once; default 1. */
  readonly batchSize?: number
  readonly cacheBytes?: number
  readonly seed?: number
  /** Freeze what user code must not change; default true. */
  readonly strict?: boolean
  /**
   * What becomes of errors that no `onInvalid` decides, as in an app. Default 'fail': thrown from the call that caused them, and so
   * is what is to be tried again. Behind a repartition a dead letter is the record as it came there, as JSON.
   */
  readonly errors?: Pick<NonNullable<AppOptions['errors']>, 'data' | 'user' | 'external'>
  /** Begin where another driver of the same topology was at its checkpoint. */
  readonly restore?: DriverSnapshot
}

/** @internal */
export interface InnerDriverOptions extends DriverOptions {
  /** false: interpret the plan, as where code cannot be generated. */
  readonly codegen?: boolean
  /** false: aggregates are not copied before user code gets them, as in apps. */
  readonly careful?: boolean
}

export interface SendOptions<K> {
  readonly key?: K | null
  /** Default: the driver's clock. */
  readonly timestamp?: Timestamp
  readonly headers?: HeadersInit
  /** Default: by the key, as a producer would. */
  readonly partition?: number
}

export interface TestInput<K, V> {
  /** Processed at once, synchronously. Null is a tombstone. */
  send(value: V | null, opts?: SendOptions<K>): void
  sendAll(records: Iterable<V | (SendOptions<K> & { readonly value: V | null })>): void
  /** As it is, to test `onInvalid`. */
  sendBytes(value: Uint8Array | null, opts?: SendOptions<Uint8Array>): void
  /** This input's end: its W becomes +infinity. */
  end(): void
}
