import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DhaaraError } from '../../errors/index.ts'
import type { Backend, BackendReader, RangeOptions, RowRange, StateBackend, TextBlock, WriteBatch } from '../backend.ts'
import { asBuffer } from '../codec/bytes.ts'
import { compacting, lowerThreads } from '../niceness.ts'
import { bounds, isEmpty } from './bounds.ts'
import { type Binding, binding, type NativeBatch, type NativeDatabase, type NativeRange } from './rocksdb-binding.ts'
import { rocksdbError } from './rocksdb-errors.ts'
import { RocksRange } from './rocksdb-range.ts'
import { textBlocks } from './rocksdb-text-range.ts'
import { closedError, enter, isClosed, leave, shutAndWait, type SharedHandle } from './shared-handle.ts'

export interface RocksOptions {
  /** Default true. */
  readonly createIfMissing?: boolean
  /** Bytes for memtables: default and most 32 MiB, since reopening after a crash replays what they held. */
  readonly memtableBytes?: number
  /** Bytes for the block cache, shared by all who read; default 64 MiB, below 4 GiB. */
  readonly cacheBytes?: number
  /** Compress the write-ahead log (zstd); default false. */
  readonly walCompression?: boolean
}

const mebibyte = 1024 * 1024
const mostMemtables = 32 * mebibyte
/** Of all memtables that one takes, as the binding sets it. */
const memtablePart = 1 / 4
const mostCache = 2 ** 32 - 1
// The data pointer of an empty Buffer is null, on which the native code aborts the process; that of a window is not.
const emptyKey = Buffer.alloc(1).subarray(0, 0)
const pointed = (key: Uint8Array): Uint8Array => (key.length === 0 ? emptyKey : key)
const withSync = { sync: true }
const withoutSync = { sync: false }

/** Reads a database that this thread or another one opened. */
export class RocksReader implements BackendReader {
  protected readonly native: Binding
  protected readonly db: NativeDatabase
  protected readonly path: string
  protected readonly gate: Int32Array
  // One array for all single reads: the native call only reads it.
  readonly #one: Uint8Array[] = [new Uint8Array(0)]

  constructor(native: Binding, db: NativeDatabase, path: string, gate: Int32Array) {
    this.native = native
    this.db = db
    this.path = path
    this.gate = gate
  }

  get(key: Uint8Array): Buffer | undefined {
    this.#one[0] = pointed(key)
    return this.#read(this.#one)[0]
  }

  getMany(keys: readonly Uint8Array[]): (Buffer | undefined)[] {
    for (let i = 0; i < keys.length; i++) if ((keys[i] as Uint8Array).length === 0) return this.#read(keys.map(pointed))
    return this.#read(keys)
  }

  #read(keys: readonly Uint8Array[]): (Buffer | undefined)[] {
    enter(this.gate)
    try {
      const values = this.native.db_get_many_sync(this.db, keys, undefined)
      // null: the values read so far have 2 GiB; the others are read one at a time.
      for (let i = values.indexOf(null); i >= 0; i = values.indexOf(null, i + 1)) {
        values[i] = this.native.db_get_many_sync(this.db, [keys[i] as Uint8Array], undefined)[0]
      }
      return values as (Buffer | undefined)[]
    } catch (cause) {
      throw rocksdbError(cause, this.path)
    } finally {
      leave(this.gate)
    }
  }

  range(options: RangeOptions): RowRange {
    const open = (): RocksRange => new RocksRange(this.native, this.db, this.path, this.gate, nativeRange(options))
    const texts = (values: boolean): IterableIterator<TextBlock, undefined> =>
      textBlocks(this.native, this.db, this.path, this.gate, nativeRange(options), values)
    return { [Symbol.iterator]: open, blocks: () => open().blocks(), textBlocks: texts }
  }

  collect(options: RangeOptions): Buffer[] {
    const range = nativeRange(options)
    if (range === undefined) return []
    enter(this.gate)
    try {
      return this.native.db_query(this.db, range).rows
    } catch (cause) {
      throw rocksdbError(cause, this.path)
    } finally {
      leave(this.gate)
    }
  }
}

/** Owns a database: the only one who writes to it and closes it. */
export class RocksBackend extends RocksReader implements Backend {
  readonly kind = 'rocksdb'
  readonly #free = new FreeBatches(this.native)
  /** Of those it was lent to, besides its own. */
  readonly #gates = new Set<Int32Array>()
  /**
   * A batch of so many bytes fills a memtable by itself. If its rows come in the order of their keys, each goes behind the one
   * before, at a quarter of the time that it takes to find a row's place among others.
   */
  readonly bulkBytes: number
  #closing: Promise<void> | undefined

  constructor(native: Binding, db: NativeDatabase, path: string, gate: Int32Array, memtableBytes: number) {
    super(native, db, path, gate)
    this.bulkBytes = Math.ceil(memtableBytes * memtablePart * 1.5)
  }

  /** For `readRocks` on another thread: can be sent in a message. Valid until this back end is closed. */
  get handle(): SharedHandle {
    this.#live()
    return { address: this.native.db_get_handle(this.db), path: this.path, gate: this.gate }
  }

  /** Rows written since the database was made. */
  get writes(): number {
    this.#live()
    return this.native.db_get_latest_sequence(this.db)
  }

  /** As `handle`, for one thread alone, whose end is to be told with `takeBack`. */
  lend(): SharedHandle {
    const { address, path } = this.handle
    const gate = new Int32Array(new SharedArrayBuffer(8))
    this.#gates.add(gate)
    return { address, path, gate }
  }

  /** The thread has ended: if it was within a native call, nobody waits for it to leave. */
  takeBack({ gate }: SharedHandle): void {
    this.#gates.delete(gate)
  }

  batch(): WriteBatch {
    this.#live()
    return new RocksBatch(this.native, this.db, this.path, this.gate, this.#free)
  }

  clearRange(gte: Uint8Array, lt: Uint8Array): void {
    this.#live()
    try {
      this.native.db_clear(this.db, { gte: asBuffer(gte), lt: asBuffer(lt) })
    } catch (cause) {
      throw rocksdbError(cause, this.path)
    }
  }

  approximateBytes(): number {
    this.#live()
    const size = (name: string): number => Number(this.native.db_get_property(this.db, name))
    return size('rocksdb.total-sst-files-size') + size('rocksdb.cur-size-all-mem-tables')
  }

  /** Waits for the native calls of readers; their later ones throw. Iterators that are open end with an error. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([this.gate, ...this.#gates].map(shutAndWait))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.native.db_close(this.db, (cause) => {
      // a write that was refused, as on a full disk, was told to whoever wrote
      if (cause && !/Seen error/.test(cause.message)) reject(rocksdbError(cause, this.path))
      else resolve()
    })
    await promise
  }

  #live(): void {
    if (isClosed(this.gate)) throw closedError()
  }
}

/** Reads and writes a database that another thread owns; the owner waits for its native calls before it closes. */
export class RocksBorrower extends RocksReader implements StateBackend {
  readonly #free = new FreeBatches(this.native)

  batch(): WriteBatch {
    return new RocksBatch(this.native, this.db, this.path, this.gate, this.#free)
  }

  clearRange(gte: Uint8Array, lt: Uint8Array): void {
    enter(this.gate)
    try {
      this.native.db_clear(this.db, { gte: asBuffer(gte), lt: asBuffer(lt) })
    } catch (cause) {
      throw rocksdbError(cause, this.path)
    } finally {
      leave(this.gate)
    }
  }
}

/** Native batches that are kept, and the most bytes that they may have held together. */
const mostFree = 2
const mostFreeBytes = 128 * mebibyte

interface FreeBatch {
  readonly native: NativeBatch
  /** Most bytes that it has held: so much room it has. */
  room: number
}

/**
 * Native batches are used again: their memory is freed only when their objects are collected, which nothing hurries since
 * the collector does not see it, and a fresh one grows to its size by copying itself, through memory that is new each time.
 */
class FreeBatches {
  readonly #native: Binding
  readonly #free: FreeBatch[] = []

  constructor(native: Binding) {
    this.#native = native
  }

  /** The one with most room. */
  take(): FreeBatch {
    return this.#free.pop() ?? { native: this.#native.batch_init(), room: 0 }
  }

  /** It has been written, and `bytes` were in it. */
  give(batch: FreeBatch, bytes: number): void {
    if (bytes > batch.room) batch.room = bytes
    this.#native.batch_clear(batch.native)
    const free = this.#free
    let kept = batch.room
    for (const { room } of free) kept += room
    if (free.length >= mostFree || kept > mostFreeBytes) return
    free.push(batch)
    free.sort((a, b) => a.room - b.room)
  }
}

class RocksBatch implements WriteBatch {
  readonly #native: Binding
  readonly #db: NativeDatabase
  readonly #path: string
  readonly #gate: Int32Array
  readonly #free: FreeBatches
  #batch: FreeBatch | undefined
  count = 0
  bytes = 0

  constructor(native: Binding, db: NativeDatabase, path: string, gate: Int32Array, free: FreeBatches) {
    this.#native = native
    this.#db = db
    this.#path = path
    this.#gate = gate
    this.#free = free
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#native.batch_put(this.#mine().native, pointed(key), value, undefined)
    this.count++
    this.bytes += key.length + value.length
  }

  delete(key: Uint8Array): void {
    this.#native.batch_del(this.#mine().native, pointed(key), undefined)
    this.count++
    this.bytes += key.length
  }

  commit(options?: { readonly sync?: boolean }): void {
    const batch = this.#mine()
    enter(this.#gate)
    try {
      this.#native.batch_write(this.#db, batch.native, options?.sync === true ? withSync : withoutSync)
    } catch (cause) {
      throw rocksdbError(cause, this.#path)
    } finally {
      leave(this.#gate)
    }
    this.#free.give(batch, this.bytes)
    this.#batch = undefined
    this.count = 0
    this.bytes = 0
  }

  #mine(): FreeBatch {
    return (this.#batch ??= this.#free.take())
  }
}

/**
 * Opens the database in a directory, as its owner.
 *
 * @throws DhaaraError DHAARA_PLATFORM, DHAARA_STATE_LOCKED, DHAARA_STATE_CORRUPT, DHAARA_STATE_MISSING, DHAARA_DISK_FULL,
 *   DHAARA_OPTION
 */
export async function openRocks(path: string, options: RocksOptions = {}): Promise<RocksBackend> {
  const native = binding()
  const {
    createIfMissing = true,
    memtableBytes = mostMemtables,
    cacheBytes = 64 * mebibyte,
    walCompression = false,
  } = options
  whole('memtableBytes', memtableBytes, 64 * 1024, mostMemtables)
  whole('cacheBytes', cacheBytes, 0, mostCache)
  if (!createIfMissing && !existsSync(join(path, 'CURRENT'))) {
    throw new DhaaraError('DHAARA_STATE_MISSING', `${path} holds no database. Correct the path, or let it be created`)
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  try {
    if (createIfMissing) mkdirSync(path, { recursive: true })
    const db = native.db_init(path)
    const nativeOptions = {
      createIfMissing,
      memtableMemoryBudget: memtableBytes,
      compaction: 'universal',
      compression: false,
      cacheSize: cacheBytes,
      walCompression,
    } as const
    native.db_open(db, nativeOptions, (cause) => (cause ? reject(cause) : resolve()))
    await promise
    lowerThreads('rocksdb:low', compacting)
    return new RocksBackend(native, db, path, new Int32Array(new SharedArrayBuffer(8)), memtableBytes)
  } catch (cause) {
    throw rocksdbError(cause, path)
  }
}

/** Reads, on any thread of this process, the database that `RocksBackend.handle` tells of. It is not to be closed. */
export function readRocks(handle: SharedHandle): RocksReader {
  if (isClosed(handle.gate)) throw closedError()
  const native = binding()
  return new RocksReader(native, native.db_init(handle.address), handle.path, handle.gate)
}

/** As `readRocks`, for a thread whose writes the owner's do not touch. */
export function borrowRocks(handle: SharedHandle): RocksBorrower {
  if (isClosed(handle.gate)) throw closedError()
  const native = binding()
  return new RocksBorrower(native, native.db_init(handle.address), handle.path, handle.gate)
}

function nativeRange(options: RangeOptions): NativeRange | undefined {
  const ends = bounds(options)
  const limit = options.limit === undefined || options.limit > 0x7fffffff ? -1 : options.limit
  if (limit === 0 || isEmpty(ends)) return undefined
  const common = {
    reverse: options.reverse === true,
    limit,
    fillCache: true,
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  } as const
  return ends.lt === undefined ? { gte: ends.gte, ...common } : { gte: ends.gte, lt: ends.lt, ...common }
}

function whole(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  throw new DhaaraError('DHAARA_OPTION', `${name} is ${value}; give a whole number of bytes from ${least} to ${most}`)
}
