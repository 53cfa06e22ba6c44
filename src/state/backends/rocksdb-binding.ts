/**
 * The native functions of `@nxtedition/rocksdb` that dhaara calls, typed. They are called without the package's
 * abstract-level classes: those cost a wrapper object and a promise or callback a call, and everything here but opening and
 * closing is synchronous in the native code anyway.
 *
 * What its source says and its readme does not: `keyEncoding` and `valueEncoding` of an iterator have no default (they are
 * read uninitialised when absent), `lte` beats `lt` and `gte` beats `gt` when both are given, a batch copies its bytes, and no
 * function checks whether the database is open: a call after closing kills the process.
 */
import { createRequire } from 'node:module'
import { DhaaraError } from '../../errors/index.ts'

declare const native: unique symbol
/** Native objects, freed when they are collected. */
export interface NativeDatabase {
  readonly [native]: 'database'
}
export interface NativeIterator {
  readonly [native]: 'iterator'
}
export interface NativeBatch {
  readonly [native]: 'batch'
}

export interface NativeOpenOptions {
  readonly createIfMissing: boolean
  /** Bytes. One memtable takes a quarter of it; in the worst case six of them exist. */
  readonly memtableMemoryBudget: number
  readonly compaction: 'level' | 'universal'
  /** Of levels that `compaction: 'level'` does not compress by itself. */
  readonly compression: boolean
  /** Bytes of the block cache, below 4 GiB; 0 is none. */
  readonly cacheSize: number
  readonly walCompression: boolean
  readonly parallelism?: number
}

export interface NativeRange {
  readonly gte?: Buffer
  readonly lt?: Buffer
  readonly reverse: boolean
  /** -1 is none. */
  readonly limit: number
  readonly fillCache: boolean
  readonly keyEncoding: NativeEncoding
  readonly valueEncoding: NativeEncoding
  /** A call ends behind the row that brings it above so many. Default: none. */
  readonly highWaterMarkBytes?: number
}

/** As text, what is no UTF-8 becomes U+FFFD. */
export type NativeEncoding = 'buffer' | 'utf8'

/** Keys and values in turn; those that were asked for as text are strings. */
export interface NativeRows {
  readonly rows: Buffer[]
  readonly finished: boolean
}

export interface Binding {
  /** By path, or by the address of a database that another thread opened. */
  db_init(pathOrAddress: string | bigint): NativeDatabase
  db_open(db: NativeDatabase, options: NativeOpenOptions, callback: (error: Error | null) => void): void
  db_close(db: NativeDatabase, callback: (error: Error | null) => void): void
  db_get_handle(db: NativeDatabase): bigint
  db_get_latest_sequence(db: NativeDatabase): number
  db_get_property(db: NativeDatabase, name: string): string
  /** null where the answer would pass 2 GiB. */
  db_get_many_sync(db: NativeDatabase, keys: readonly Uint8Array[], options: undefined): (Buffer | undefined | null)[]
  db_get_many(
    db: NativeDatabase,
    keys: readonly Uint8Array[],
    options: { readonly valueEncoding: 'buffer' },
    callback: (error: Error | null, values: (Buffer | undefined)[]) => void,
  ): void
  /** A whole range in one call. */
  db_query(db: NativeDatabase, range: NativeRange): NativeRows
  db_clear(db: NativeDatabase, range: { readonly gte: Buffer; readonly lt: Buffer }): void
  iterator_init(db: NativeDatabase, range: NativeRange): NativeIterator
  iterator_nextv_sync(iterator: NativeIterator, count: number): NativeRows
  /** Before the first row that is not below it. */
  iterator_seek(iterator: NativeIterator, target: Buffer): void
  iterator_close(iterator: NativeIterator): void
  batch_init(): NativeBatch
  batch_put(batch: NativeBatch, key: Uint8Array, value: Uint8Array, options: undefined): void
  batch_del(batch: NativeBatch, key: Uint8Array, options: undefined): void
  batch_clear(batch: NativeBatch): void
  batch_write(db: NativeDatabase, batch: NativeBatch, options: { readonly sync: boolean }): void
}

/** Platforms that the package brings a binary for. */
export const rocksdbPlatforms: readonly string[] = ['linux-x64', 'darwin-arm64']

let loaded: Binding | undefined

/** Loads the binary at the first call. @throws DhaaraError DHAARA_PLATFORM where there is none. */
export function binding(): Binding {
  loaded ??= load(() => createRequire(import.meta.url)('@nxtedition/rocksdb/binding.js'))
  return loaded
}

/** @throws DhaaraError DHAARA_PLATFORM, with the cause, if `require` throws. */
export function load(require: () => unknown, platform = `${process.platform}-${process.arch}`): Binding {
  try {
    return require() as Binding
  } catch (cause) {
    throw new DhaaraError(
      'DHAARA_PLATFORM',
      `No RocksDB binary could be loaded on ${platform}; there are ready ones for ${rocksdbPlatforms.join(' and ')}. ` +
        `Run on one of these (a linux/amd64 container does), or build it: npm rebuild @nxtedition/rocksdb --build-from-source`,
      { cause },
    )
  }
}
