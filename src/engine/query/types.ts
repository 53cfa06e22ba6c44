import type { KeyOrder, OrderedKey } from '../../dsl/serdes/index.ts'
import type {
  KeyValueHandle,
  ListHandle,
  Ordered,
  PrefixOf,
  TableHandle,
  VersionedHandle,
  WindowHandle,
} from '../../dsl/stores/index.ts'
import type { Timestamp } from '../../dsl/time/index.ts'
import type { Windowed } from '../../dsl/windows/index.ts'

export interface QueryOptions {
  /**
   * Default 'committed': the state of the last checkpoint, which no crash takes back; it waits for nobody. 'latest' asks
   * the thread that owns the key, between two batches.
   */
  readonly isolation?: 'committed' | 'latest'
  /**
   * Read your writes: waits until these records of inputs (topic, partition, offset), and what they caused in this store, are
   * committed.
   */
  readonly minPosition?: Readonly<Record<string, Readonly<Record<number, number>>>>
  readonly signal?: AbortSignal
}

export interface CountOptions extends QueryOptions {
  /** Not row by row: the number that was kept as rows came and went. Stores that keep none are counted. */
  readonly estimate?: boolean
}

export interface ScanOptions extends QueryOptions {
  readonly limit?: number
  readonly reverse?: boolean
  /** Where another scan of the same kind, over the same range, has ended. */
  readonly cursor?: string
}

/**
 * Rows in the order of their keys, read as they are asked for. A committed scan sees one checkpoint from its first row to its
 * last; a scan of the latest state sees each page of rows as it is then.
 */
export type Scan<K, V> = AsyncIterable<readonly [K, V]> & {
  toArray(): Promise<(readonly [K, V])[]>
  /** Goes on after the last row that was given; undefined before the first one, and when there are no more. */
  readonly cursor: string | undefined
}

export interface ObserveOptions {
  /** Default 'snapshot': what is there first, then what changes. 'now': changes alone. 'beginning' is for topics. */
  readonly from?: 'snapshot' | 'now' | 'beginning'
  /** Ends it. */
  readonly signal?: AbortSignal
}

/** A committed change of a row; a row that is there when a subscription begins is one too. */
export interface Change<K, V> {
  readonly key: K
  /** null: deleted. */
  readonly value: V | null
  /** Of the record that changed it last; of a deletion, when that was written. */
  readonly timestamp: Timestamp
}

export interface Subscription extends Disposable {
  readonly closed: boolean
  unsubscribe(): void
}

/** AsyncIterable and Observable in one; RxJS `from` takes it. Who reads slowly gets the last change of each key. */
export interface Observed<T> extends AsyncIterable<T> {
  subscribe(next: (value: T) => void): Subscription
  subscribe(observer: { next?(value: T): void; error?(error: unknown): void; complete?(): void }): Subscription
}

/**
 * A store is asked in all its partitions. Stores of `stores.*` whose keys do not follow the keys of the records may have a key
 * in several of them: a scan shows them all, `get` one of them.
 */
export interface KeyValueQueryBase<K, V> {
  /** Counts row by row; with `estimate`, as many as were counted when they were written, at no cost. */
  count(opts?: CountOptions): Promise<number>
  get(key: K, opts?: QueryOptions): Promise<V | undefined>
  /** In the order of the keys, all of one moment. */
  getMany(keys: Iterable<K>, opts?: QueryOptions): Promise<(V | undefined)[]>
  all(opts?: ScanOptions): Scan<K, V>
  /** The row that held at a time, as far back as the store's history goes. Versioned stores only; others refuse at run time. */
  asOf(key: K, at: Timestamp, opts?: QueryOptions): Promise<V | undefined>
  /**
   * Rows that an index of the store (`{store: {indexes: {byCity: (v) => v.city}}}`) has under this value, in the order of their
   * keys. Committed ones.
   * @throws DhaaraError DHAARA_QUERY: there is no such index; the message names those there are
   */
  by(index: string, value: OrderedKey, opts?: ScanOptions): Scan<K, V>
  /**
   * What is committed of all keys, of one, or of those with a prefix: the rows, then their changes, none left out and none twice.
   * An object that has nothing but `prefix` is a prefix, also where keys are such objects.
   */
  subscribe(keys?: K | { readonly prefix: PrefixOf<K> }, opts?: ObserveOptions): Observed<Change<K, V>>
}

export interface RangeQuery<K, V> {
  /** Both ends inclusive; undefined = open. */
  range(from: K | undefined, to: K | undefined, opts?: ScanOptions): Scan<K, V>
  prefix(prefix: PrefixOf<K>, opts?: ScanOptions): Scan<K, V>
}

export type KeyValueQuery<K, V, O extends KeyOrder> = KeyValueQueryBase<K, V> & Ordered<O, RangeQuery<K, V>>

export interface ListQuery<K, V> {
  /** Keys that have a list. */
  count(opts?: QueryOptions): Promise<number>
  get(key: K, opts?: QueryOptions): Promise<readonly V[]>
}

export interface WindowQuery<K, V> {
  count(opts?: QueryOptions): Promise<number>
  /** Windows of a key that start in [from, to], by start. */
  fetch(key: K, from: Timestamp, to: Timestamp, opts?: ScanOptions): Scan<Windowed<K>, V>
  /** Windows of all keys that start in [from, to]: by start, then by key; sessions and sliding windows by key, then by start. */
  fetchAll(from: Timestamp, to: Timestamp, opts?: ScanOptions): Scan<Windowed<K>, V>
  /** All windows of a key, by start. */
  sessions(key: K, opts?: ScanOptions): Scan<Windowed<K>, V>
  all(opts?: ScanOptions): Scan<Windowed<K>, V>
  /** Windows of all keys, or of one. That closed windows go is no change. */
  subscribe(key?: K, opts?: ObserveOptions): Observed<Change<Windowed<K>, V>>
}

/** What a handle's store can be asked. */
export type QueryOf<H> =
  H extends KeyValueHandle<infer K, infer V, infer O>
    ? KeyValueQuery<K, V, O>
    : H extends TableHandle<infer K, infer V, infer O>
      ? KeyValueQuery<K, V, O>
      : H extends VersionedHandle<infer K, infer V, infer O>
        ? KeyValueQuery<K, V, O>
        : H extends ListHandle<infer K, infer V>
          ? ListQuery<K, V>
          : H extends WindowHandle<infer K, infer V>
            ? WindowQuery<K, V>
            : never

/** Calls that the store's kind or key order does not have are refused at run time. */
export type AnyStoreQuery = KeyValueQueryBase<unknown, unknown> &
  RangeQuery<unknown, unknown> &
  Pick<WindowQuery<unknown, unknown>, 'fetch' | 'fetchAll' | 'sessions'>
