/** Plain data that plan nodes carry: what the DSL's option objects and factories boil down to. Durations are milliseconds. */
import type { Serde } from '../serdes/types.ts'

/** A user's function, its types long checked by the DSL. */
// biome-ignore lint/suspicious/noExplicitAny: the DSL's generics have vouched for it
export type UserFn = (...args: any[]) => any
// biome-ignore lint/suspicious/noExplicitAny: likewise
export type AnySerde = Serde<any>

export interface WatermarkSpec {
  readonly kind: 'monotonous' | 'bounded' | 'punctuated' | 'none'
  /** Out-of-orderness; 0 for monotonous. */
  readonly bound: number
  readonly fn?: UserFn
  /** null: never idle. */
  readonly idleAfter: number | null
  readonly followClock: boolean
}

/** Length of a period: milliseconds, or a count of calendar units in a time zone. */
export type PeriodSpec = number | { readonly count: number; readonly unit: 'd' | 'w' | 'M' | 'y' }

export type WindowSpec =
  | {
      readonly kind: 'tumbling' | 'hopping'
      readonly size: PeriodSpec
      /** Equal to `size` for tumbling. */
      readonly advance: PeriodSpec
      readonly offset: number
      readonly timeZone?: string
      readonly grace: number
      readonly clock: 'event' | 'wall'
    }
  | {
      readonly kind: 'cumulative'
      readonly max: PeriodSpec
      readonly step: number
      readonly offset: number
      readonly timeZone?: string
      readonly grace: number
      readonly clock: 'event'
    }
  | {
      readonly kind: 'session'
      readonly gap: number | UserFn
      readonly grace: number
      readonly clock: 'event' | 'wall'
    }
  | { readonly kind: 'sliding'; readonly difference: number; readonly grace: number; readonly clock: 'event' }
  | { readonly kind: 'count'; readonly records: number }
  | { readonly kind: 'unlimited' }

export type EmitSpec =
  | { readonly mode: 'update' | 'close' | 'onTime' }
  | { readonly mode: 'every'; readonly interval: number; readonly clock: 'event' | 'wall' }

export interface JoinWindowSpec {
  readonly before: number
  readonly after: number
  readonly grace: number
}

export interface StoreSpec {
  readonly name: string
  readonly kind: 'keyValue' | 'versioned' | 'list' | 'window' | 'session'
  /** Absent: the typed key codec. Stores of `stores.*` follow their own serde. */
  readonly key?: AnySerde
  /** Absent: msgpack. */
  readonly value?: AnySerde
  readonly backend: 'rocksdb' | 'memory'
  readonly ttl?: number
  readonly ttlClock: 'event' | 'wall'
  /** Of closed windows, beyond their close; 0: they go at once. */
  readonly retention: number
  /** Versioned stores: how far back they remember. */
  readonly history?: number
  readonly indexes?: Readonly<Record<string, UserFn>>
  /** Named by the user. */
  readonly named: boolean
}

/** How an aggregate is made. `state` is what is stored; `result` (built-in aggregators) is what users see of it. */
export interface AggregateSpec {
  /** 'reduce': no init, the first value is the first aggregate. */
  readonly kind: 'count' | 'reduce' | 'aggregate'
  readonly init?: () => unknown
  /**
   * One adder an input (cogroup has several): (state, value, key) => state; of 'reduce': (state, value) => state.
   * A user's `(aggregate, value)` must not see a third argument where its type has none.
   */
  readonly adders: readonly UserFn[]
  /** Adders and `subtract` read the record's timestamp too: (state, value, key, timestamp) => state. */
  readonly timed?: boolean
  /** (state, value, key) => state; null: nothing is left, the row is deleted. */
  readonly subtract?: UserFn
  /** (left, right, key) => state; of 'reduce': (left, right) => state. Sessions use it even where not `mergeable`. */
  readonly merge?: UserFn
  /** Absent: the state itself. */
  readonly result?: UserFn
  /** (before, after) of states: they show the same, so that nothing is sent again. Absent: each record sends a row. */
  readonly unchanged?: UserFn
  /** Two states can be joined by `merge` with the same result as adding one by one: panes, sessions and two-phase may be used. */
  readonly mergeable: boolean
  /** `add` never changes its state in place. */
  readonly pure: boolean
  /** Built-in aggregators say what they are: for the manifest, and for who generates code in their place. */
  readonly builtin?: BuiltinAggregate
}

export interface BuiltinAggregate {
  readonly op:
    | 'count'
    | 'sum'
    | 'avg'
    | 'min'
    | 'max'
    | 'first'
    | 'latest'
    | 'collect'
    | 'distinct'
    | 'topK'
    | 'topN'
    | 'approxDistinct'
    | 'quantile'
    | 'combined'
  /** What of a value is aggregated: (value) => …; topN: (value, key) => rank. */
  readonly of?: UserFn
  /** Of 'combined': name -> part; the state is the array of the parts' states, in this order. */
  readonly parts?: Readonly<Record<string, AggregateSpec>>
  /** n of topN, k of topK, `max` of collect. */
  readonly limit?: number
  /** Of quantile, 0 … 1. */
  readonly q?: number
}

export interface SuppressSpec {
  /** Until the row's window closes, or until `limit` after its first change. */
  readonly until: 'close' | 'time'
  readonly limit?: number
  readonly maxRecords?: number
  readonly maxBytes?: number
  readonly whenFull: 'shutDown' | 'spill' | 'emitEarly'
}

export interface RetrySpec {
  /** The first included. */
  readonly attempts: number
  readonly backoff: number
  readonly maxBackoff: number
  readonly jitter: boolean
  readonly when?: UserFn
}

/** Opens when at least `failures` calls failed within `over` and they are at least the share `share` of the calls in it. */
export interface BreakerSpec {
  readonly failures: number
  /** 0 … 1. */
  readonly share: number
  readonly over: number
  readonly openFor: number
}

export interface OwnSourceSpec {
  /** What it is, for people. */
  readonly connector: string
  readonly partitions: number
  /** Records of a key are in one partition. */
  readonly byKey: boolean
  readonly retry: RetrySpec
  /** (position, signal, task) => iterable of items. */
  readonly read: UserFn
  /** (position, task) => void. */
  readonly commit?: UserFn
}

export interface OwnSinkSpec {
  /** What it is, for people. */
  readonly connector: string
  readonly batchRecords: number
  readonly maxPendingBytes: number
  readonly retry: RetrySpec
  /** (task) => sink, once a task. */
  readonly make: UserFn
}
