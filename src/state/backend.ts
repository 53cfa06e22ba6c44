/**
 * What a store needs of a database: ordered bytes, read by anyone, written by one owner in atomic batches.
 * All calls are synchronous: the engine does its waiting at the edges of batches, not inside them.
 */
export interface RangeOptions {
  readonly gte?: Uint8Array
  readonly gt?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
}

export type Row = readonly [key: Uint8Array, value: Uint8Array]

/** A range that can be gone through, each time anew, as it is then. */
export interface RowRange extends Iterable<Row> {
  /** The same rows in blocks, flat: key, value, key, value. For who reads very many: no object a row. Closing it early frees it. */
  blocks(): IterableIterator<RowBlock, undefined>
  /**
   * As `blocks`, with keys as the texts that their bytes are in UTF-8, where they are and reading them so costs less. A text gives
   * its bytes back; from the first block on of which a key would not, keys are bytes.
   *
   * @param values they, too, block by block: those of a block of which one would not are bytes
   */
  textBlocks(values: boolean): IterableIterator<TextBlock, undefined>
}

/** Never empty. */
export type RowBlock = readonly Uint8Array[]

/** Keys and values in turn; keys are all texts or all bytes, and so are values. Never empty. */
export type TextBlock = readonly (string | Uint8Array)[]

export interface BackendReader {
  get(key: Uint8Array): Uint8Array | undefined
  /** In the order of `keys`. */
  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[]
  /**
   * Rows in key order (memcmp). Each iteration sees the rows of the moment it began; closing it early frees it.
   * Bounds given twice (`gt` and `gte`) both hold.
   */
  range(options: RangeOptions): RowRange
  /** A short range at once, flat: key, value, key, value. One native call, where `range` takes three. */
  collect(options: RangeOptions): Uint8Array[]
}

/**
 * Collects writes; nothing is visible before `commit`, all of it at once after; the last write of a key wins. Bytes are copied
 * at once, so that callers may use their buffers again. After `commit` it is empty and may be filled again.
 */
export interface WriteBatch {
  put(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): void
  readonly count: number
  readonly bytes: number
  /**
   * Atomic. `sync`: also forced to the disk.
   *
   * @throws DhaaraError DHAARA_DISK_FULL and keeps nothing of the batch; RocksDB then refuses all writes, also when there is room
   *   again, until it is closed (which rejects too) and opened again. Reads go on.
   */
  commit(options?: { readonly sync?: boolean }): void
}

/** Of a thread that reads and writes. */
export interface StateBackend extends BackendReader {
  batch(): WriteBatch
  /** Removes every key in [gte, lt). Idempotent, not part of a batch. */
  clearRange(gte: Uint8Array, lt: Uint8Array): void
}

export interface Backend extends StateBackend {
  readonly kind: 'rocksdb' | 'memory'
  /** Approximate number of bytes held on disk (or in memory). */
  approximateBytes(): number
  close(): Promise<void>
}
