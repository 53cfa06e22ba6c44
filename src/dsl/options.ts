/** Option objects that several capabilities share. One trailing object a call; `{name}` is the only way to name a step. */
import type { Row } from './helpers.ts'
import type { OrderedKey, Serde } from './serdes/types.ts'
import type { Duration } from './time/index.ts'

export interface StepOptions {
  readonly name?: string
}
/** Serdes are needed at sources, sinks and for co-partitioning with a source topic; elsewhere the default codec serves. */
export interface SerdeOptions<K, V> extends StepOptions {
  readonly key?: Serde<Row<K>>
  readonly value?: Serde<Row<V>>
}
/** T is the type of `ttl`: never (the default) where a store cannot have one. */
export interface StoreOptions<T extends Duration = never> {
  readonly name?: string
  readonly kind?: 'keyValue' | 'versioned'
  /** How far back a versioned store remembers. */
  readonly history?: Duration
  readonly backend?: 'rocksdb' | 'memory'
  /** Event time unless `ttlClock` says 'wall'; refreshed on write; expiry forwards a deletion. */
  readonly ttl?: T
  readonly ttlClock?: 'event' | 'wall'
  /** Secondary indexes for queries: name -> what to index by. */
  readonly indexes?: Readonly<Record<string, (value: any, key: any) => OrderedKey>>
  /** Of closed windows, for queries. */
  readonly retention?: Duration
}
export interface StateOptions<K, V, T extends Duration = never> extends SerdeOptions<K, V> {
  readonly store?: string | StoreOptions<T>
  /**
   * Aggregates in each producing task before the repartition, so that a key that most records have does not make one task
   * do all the work. Results come once a slice of records instead of once a record. For aggregates that can be merged and
   * never return null, without windows or with tumbling, hopping and cumulative ones and without `lateTo`; elsewhere it
   * changes nothing.
   */
  readonly twoPhase?: boolean
}
export interface AggregateOptions<K, A, T extends Duration = never> extends StateOptions<K, A, T> {
  /** Joins two partial aggregates: required by sessions, and lets overlapping windows share panes. */
  merge?(left: A, right: A, key: K): A
  /** Promise that `add` never changes its aggregate in place: saves the copies. */
  readonly pure?: boolean
}
export interface ReduceOptions<K, V, T extends Duration = never> extends StateOptions<K, V, T> {
  readonly associative?: boolean
}
