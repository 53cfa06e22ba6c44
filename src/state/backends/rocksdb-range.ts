import type { Row, RowBlock } from '../backend.ts'
import type { Binding, NativeDatabase, NativeIterator, NativeRange } from './rocksdb-binding.ts'
import { rocksdbError } from './rocksdb-errors.ts'
import { enter, leave, tryEnter } from './shared-handle.ts'

/** Most ranges end early, so the first fetch is small, and each one four times the one before. */
const firstFetch = 16
const mostFetch = 512
/** A fetch of large rows ends when it has so many: it holds the thread for a few milliseconds. */
const fetchBytes = 512 * 1024

/** One pass over a range: rows are fetched in blocks from a snapshot, which is freed at the end, at `return` or at an error. */
export class RocksRange implements IterableIterator<Row, undefined> {
  readonly #native: Binding
  readonly #path: string
  readonly #gate: Int32Array
  #iterator: NativeIterator | undefined
  #rows: Buffer[] = []
  #at = 0
  #size = firstFetch
  #finished: boolean

  constructor(native: Binding, db: NativeDatabase, path: string, gate: Int32Array, range: NativeRange | undefined) {
    this.#native = native
    this.#path = path
    this.#gate = gate
    this.#finished = range === undefined
    enter(gate)
    try {
      if (range !== undefined) this.#iterator = native.iterator_init(db, { ...range, highWaterMarkBytes: fetchBytes })
    } catch (cause) {
      throw rocksdbError(cause, path)
    } finally {
      leave(gate)
    }
  }

  [Symbol.iterator](): this {
    return this
  }

  /** What is left of it. */
  blocks(): IterableIterator<RowBlock, undefined> {
    const all: IterableIterator<RowBlock, undefined> = {
      [Symbol.iterator]: () => all,
      next: () => {
        if (this.#at >= this.#rows.length && !this.#fetch()) return { done: true, value: undefined }
        const value = this.#at === 0 ? this.#rows : this.#rows.slice(this.#at)
        this.#at = this.#rows.length
        return { done: false, value }
      },
      return: () => this.return(),
    }
    return all
  }

  /** What is read next is behind its end: `seek` leads nowhere. */
  get ended(): boolean {
    return this.#iterator === undefined
  }

  /** Goes on before the first row whose key is not below this one; after whole blocks. */
  seek(key: Buffer): void {
    if (this.#iterator === undefined) return
    enter(this.#gate)
    try {
      this.#native.iterator_seek(this.#iterator, key)
    } catch (cause) {
      throw rocksdbError(cause, this.#path)
    } finally {
      leave(this.#gate)
    }
  }

  next(): IteratorResult<Row, undefined> {
    if (this.#at >= this.#rows.length && !this.#fetch()) return { done: true, value: undefined }
    const key = this.#rows[this.#at++] as Buffer
    const value = this.#rows[this.#at++] as Buffer
    return { done: false, value: [key, value] }
  }

  return(): IteratorResult<Row, undefined> {
    this.#finished = true
    this.#rows = []
    const iterator = this.#iterator
    this.#iterator = undefined
    // A database that was closed has freed its iterators.
    if (iterator !== undefined && tryEnter(this.#gate)) {
      try {
        this.#native.iterator_close(iterator)
      } finally {
        leave(this.#gate)
      }
    }
    return { done: true, value: undefined }
  }

  #fetch(): boolean {
    if (this.#finished || this.#iterator === undefined) return false
    let failed = true
    enter(this.#gate)
    try {
      const { rows, finished } = this.#native.iterator_nextv_sync(this.#iterator, this.#size)
      this.#rows = rows
      this.#at = 0
      this.#size = Math.min(4 * this.#size, mostFetch)
      this.#finished = finished
      failed = false
    } catch (cause) {
      throw rocksdbError(cause, this.#path)
    } finally {
      leave(this.#gate)
      if (failed) this.return()
    }
    if (this.#finished) this.#closeKeepingRows()
    return this.#rows.length > 0
  }

  #closeKeepingRows(): void {
    const rows = this.#rows
    this.return()
    this.#rows = rows
  }
}
