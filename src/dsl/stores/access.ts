/** What code inside a processor can do with a store: synchronous, belongs to the task. */
import type { KeyOrder } from '../serdes/types.ts'
import type { Timestamp } from '../time/index.ts'
import type { Windowed } from '../windows/index.ts'
import type { KeyValueHandle, ListHandle, TableHandle, VersionedHandle, WindowHandle } from './handles.ts'

/** Handles inside a processor: synchronous, belongs to the task. */
export interface KeyValueReader<K, V> {
  get(key: K): V | undefined
  has(key: K): boolean
  all(): Iterable<readonly [K, V]>
  readonly approximateCount: number
}
export interface KeyRanges<K, V> {
  /** Both ends inclusive; undefined = open. */
  range(
    from: K | undefined,
    to: K | undefined,
    opts?: { readonly reverse?: boolean; readonly limit?: number },
  ): Iterable<readonly [K, V]>
  prefix(prefix: PrefixOf<K>, opts?: { readonly reverse?: boolean; readonly limit?: number }): Iterable<readonly [K, V]>
}
/** A start of the string, or the first parts of the tuple. */
export type PrefixOf<K> = K extends string
  ? string
  : K extends readonly [...infer H, unknown]
    ? Readonly<K | H> | (H extends readonly [] ? never : PrefixOf<H>)
    : K
export type Ordered<O extends KeyOrder, T> = O extends 'ordered' ? T : unknown

export type KeyValueStore<K, V, O extends KeyOrder> = KeyValueReader<K, V> &
  Ordered<O, KeyRanges<K, V>> & {
    put(key: K, value: V): void
    putIfAbsent(key: K, value: V): V | undefined
    delete(key: K): V | undefined
  }
/** Remembers values as of a time, as far back as its `history`. */
export interface VersionedStore<K, V> {
  get(key: K, opts?: { readonly asOf?: Timestamp }): V | undefined
  put(key: K, value: V, at: Timestamp): void
  delete(key: K, at: Timestamp): void
}
/** A queue of values a key. */
export interface ListStore<K, V> {
  values(key: K): Iterable<V>
  length(key: K): number
  append(key: K, value: V): void
  shift(key: K): V | undefined
  clear(key: K): void
}
export interface WindowStore<K, V> {
  /** Windows of a key that start in [from, to]. */
  fetch(key: K, from: Timestamp, to: Timestamp): Iterable<readonly [Windowed<K>, V]>
  fetchAll(from: Timestamp, to: Timestamp): Iterable<readonly [Windowed<K>, V]>
  get(key: K, start: Timestamp): V | undefined
  put(key: K, value: V, start: Timestamp): void
}
/** What a handle opens. */
export type StoreOf<H> =
  H extends KeyValueHandle<infer K, infer V, infer O>
    ? KeyValueStore<K, V, O>
    : H extends TableHandle<infer K, infer V, infer O>
      ? KeyValueReader<K, V> & Ordered<O, KeyRanges<K, V>>
      : H extends VersionedHandle<infer K, infer V>
        ? VersionedStore<K, V>
        : H extends ListHandle<infer K, infer V>
          ? ListStore<K, V>
          : H extends WindowHandle<infer K, infer V>
            ? WindowStore<K, V>
            : never
