import type { brand } from '../brand.ts'
import type { KeyOrder, OrderedSerde, OrderOf, Serde } from '../serdes/types.ts'
import type { Duration } from '../time/index.ts'
import type { Windowed } from '../windows/index.ts'

/** Names a store and carries its types: for `ctx.store`, `app.store` and the test driver. */
export interface StoreHandle {
  readonly name: string
  readonly kind: 'keyValue' | 'versioned' | 'list' | 'window' | 'session'
}
export interface KeyValueHandle<K, V, O extends KeyOrder = KeyOrder> extends StoreHandle {
  readonly kind: 'keyValue'
  readonly [brand]: [K, V, O]
}
/** Of a table: processors may read it, not write. */
export interface TableHandle<K, V, O extends KeyOrder = KeyOrder> extends StoreHandle {
  readonly kind: 'keyValue' | 'versioned'
  readonly [brand]: { table: [K, V, O] }
}
export interface VersionedHandle<K, V, O extends KeyOrder = KeyOrder> extends StoreHandle {
  readonly kind: 'versioned'
  readonly [brand]: [K, V, O]
}
export interface ListHandle<K, V> extends StoreHandle {
  readonly kind: 'list'
  readonly [brand]: [K, V]
}
export interface WindowHandle<K, V> extends StoreHandle {
  readonly kind: 'window' | 'session'
  readonly [brand]: [K, V]
}
/** Windowed keys give a window (or session) store, all others a key-value store. */
export type TableStoreHandle<K, V> = K extends Windowed<infer WK> ? WindowHandle<WK, V> : TableHandle<K, V, OrderOf<K>>

export interface StoreDefinition<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  readonly backend?: 'rocksdb' | 'memory'
  readonly ttl?: Duration
}
export type OrderFrom<S> = S extends OrderedSerde<any> ? 'ordered' : 'opaque'
export type Decoded<S> = S extends Serde<infer T> ? T : never
