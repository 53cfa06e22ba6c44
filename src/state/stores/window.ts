import { KeyWriter } from '../codec/index.ts'
import { timestampOf } from './codecs.ts'
import { Entry } from './entry.ts'
import { roughBytes } from './rough-bytes.ts'
import { inKeyOrder } from './seal-order.ts'
import type { Sealer, StoreSpace } from './space.ts'
import { addStart, clearStretches, startKey, storedStarts } from './stretches.ts'
import { sweep } from './sweep.ts'

const rowKeys = new KeyWriter()

/** What a row takes in the cache at least, roughly. */
const leastHeapBytes = 512

/** All rows of one window start: `prefix | start (8 bytes) | key`. */
export class Bucket {
  readonly start: number
  readonly entries = new Map<string | number, Entry>()
  /** Every row of this start is in `entries`. */
  complete: boolean
  /** Rows of it may lie in the database. */
  stored: boolean
  /** Dropped: sealing skips what is left of it. */
  dead = false
  /** What the running epoch changed. */
  dirty: Entry[] = []
  private readonly table: WindowTable

  constructor(table: WindowTable, start: number, stored: boolean) {
    this.table = table
    this.start = start
    this.complete = !stored
    this.stored = stored
  }

  load(key: unknown): Entry {
    this.table.lookups++
    const id = this.table.space.keys.id(key)
    const found = this.entries.get(id)
    if (found !== undefined) {
      found.used = true
      return found
    }
    return this.table.miss(this, key, id)
  }

  /** As `load`, but keeps nothing of a row that there is not. */
  find(key: unknown): Entry | undefined {
    return this.complete ? this.entries.get(this.table.space.keys.id(key)) : this.load(key)
  }
}

/**
 * Rows by (window start, key). A start is a bucket: new ones need no look at the database, closed ones leave it by a
 * range clear after the epoch that closed them is written; neighbours go by one clear. What opens and closes within one
 * epoch is never written. A start that is opened again in the epoch that dropped it must not be hit by that clear: then
 * its old rows are deleted one by one.
 */
export class WindowTable {
  readonly space: StoreSpace
  /** Keys asked for, and rows of them that had to be read from the database. */
  lookups = 0
  misses = 0
  /** Of panes: no window that starts before is shown. */
  floor: () => number = () => 0
  private readonly buckets = new Map<number, Bucket>()
  /** Live starts, ascending. */
  private starts: number[] = []
  /** Buckets that the running epoch changed. */
  private dirty: Bucket[] = []
  private epoch: number
  private readonly sealed: { epoch: number; entries: Entry[][]; count: number }[] = []
  private entryCount = 0
  private sealedCount = 0
  /** Encoded size of a row: the mean of those measured lately. */
  private meanBytes = 64
  private probe = 0
  /** Dropped in this epoch, with rows in the database. */
  private readonly dropped = new Map<number, Bucket>()

  constructor(space: StoreSpace, epoch: number) {
    this.space = space
    this.epoch = epoch
    this.starts = storedStarts(space)
    for (const start of this.starts) this.buckets.set(start, new Bucket(this, start, true))
  }

  /** The bucket of a start; made if it is new. */
  bucket(start: number): Bucket {
    return this.buckets.get(start) ?? this.open(start)
  }

  peek(start: number): Bucket | undefined {
    return this.buckets.get(start)
  }

  /** Live starts, ascending. */
  get liveStarts(): readonly number[] {
    return this.starts
  }

  /** Store the value; undefined deletes, and the timestamp goes with the row. */
  set(bucket: Bucket, entry: Entry, value: unknown, ts: number): void {
    entry.value = value
    entry.ts = value === undefined ? Number.NEGATIVE_INFINITY : ts
    if (entry.dirty !== this.epoch) {
      entry.dirty = this.epoch
      if (bucket.dirty.length === 0) this.dirty.push(bucket)
      bucket.dirty.push(entry)
    }
  }

  /** Rows of a start, in key order. */
  rows(bucket: Bucket): Entry[] {
    return inKeyOrder(this.liveOf(bucket), this.space.keys)
  }

  /** Rows of a start, in no order. */
  live(start: number): Entry[] {
    const bucket = this.buckets.get(start)
    return bucket === undefined ? [] : this.liveOf(bucket)
  }

  private liveOf(bucket: Bucket): Entry[] {
    if (!bucket.complete) this.readAll(bucket)
    const live: Entry[] = []
    for (const entry of bucket.entries.values()) if (entry.value !== undefined) live.push(entry)
    return live
  }

  /** Forgets a start and all its rows; the database's go after the epoch is written. */
  drop(start: number): void {
    const bucket = this.buckets.get(start)
    if (bucket === undefined) return
    bucket.dead = true
    this.buckets.delete(start)
    this.starts.splice(this.starts.indexOf(start), 1)
    this.entryCount -= bucket.entries.size
    if (bucket.stored) this.dropped.set(start, bucket)
  }

  seal(sealer: Sealer): void {
    const { epoch } = this
    const changed = this.dirty
    this.epoch = epoch + 1
    this.dirty = []
    clearStretches(this.dropped.keys(), this.starts, this.space.prefix, sealer)
    this.dropped.clear()
    const live = changed.filter((bucket) => !bucket.dead).sort((a, b) => a.start - b.start)
    if (live.length === 0) return
    const entries = live.map((bucket) => this.sealBucket(bucket, sealer))
    const count = entries.reduce((sum, some) => sum + some.length, 0)
    this.sealed.push({ epoch, entries, count })
    this.sealedCount += count
  }

  private sealBucket(bucket: Bucket, sealer: Sealer): Entry[] {
    const { keys, values, prefix } = this.space
    const { dirty, start } = bucket
    bucket.dirty = []
    for (const entry of inKeyOrder(dirty, keys)) {
      keys.write(rowKeys.reset().raw(prefix).time(start), entry.key)
      const key = rowKeys.view()
      if (entry.value === undefined) {
        if (entry.stored) sealer.delete(key)
        entry.stored = false
        continue
      }
      const row = values.view === undefined ? values.encode(entry.value, entry.ts) : values.view(entry.value, entry.ts)
      sealer.put(key, row)
      entry.bytes = key.length + row.length
      entry.stored = true
      bucket.stored = true
    }
    return dirty
  }

  written(epoch: number): void {
    while (this.sealed.length > 0 && (this.sealed[0] as { epoch: number }).epoch <= epoch) {
      const { epoch: at, entries, count } = this.sealed.shift() as { epoch: number; entries: Entry[][]; count: number }
      for (const some of entries) for (const entry of some) if (entry.dirty === at) entry.dirty = 0
      this.sealedCount -= count
    }
    this.measure()
    this.evict()
  }

  /** Says what is held, and what of it waits to be written; measures one row more. */
  measure(): void {
    let waiting = this.sealedCount
    for (const { dirty, dead } of this.dirty) {
      if (dead) continue
      waiting += dirty.length
      const { value } = dirty[this.probe++ % dirty.length] as Entry
      if (value !== undefined) this.meanBytes += (roughBytes(value) + 32 - this.meanBytes) / 8
    }
    const each = this.heapBytes
    this.space.cache.tell(this.entryCount * each, waiting * each)
  }

  /** Lets go what there is no room for, if it is written. */
  trim(): void {
    this.evict()
  }

  private get heapBytes(): number {
    return Math.max(leastHeapBytes, this.meanBytes * 4)
  }

  /** Reads the rows of these keys that are not in the cache, all at once. Opens no start. */
  prefetch(start: number, keys: readonly unknown[]): void {
    const bucket = this.buckets.get(start)
    if (bucket === undefined || bucket.complete) return
    const missing = keys.filter(
      (key) => key !== null && key !== undefined && !bucket.entries.has(this.space.keys.id(key)),
    )
    this.misses += missing.length
    const rows = this.space.reader.getMany(missing.map((key) => this.rowKey(start, key)))
    for (const [i, key] of missing.entries()) {
      const id = this.space.keys.id(key)
      if (!bucket.entries.has(id)) this.admit(bucket, key, id, rows[i])
    }
  }

  get size(): number {
    return this.entryCount
  }

  miss(bucket: Bucket, key: unknown, id: string | number): Entry {
    if (bucket.complete) return this.admit(bucket, key, id, undefined)
    this.misses++
    return this.admit(bucket, key, id, this.space.reader.get(this.rowKey(bucket.start, key)))
  }

  private admit(bucket: Bucket, key: unknown, id: string | number, row: Uint8Array | undefined): Entry {
    const entry =
      row === undefined
        ? new Entry(key, 0, undefined, Number.NEGATIVE_INFINITY, 0, false)
        : new Entry(key, 0, this.space.values.decode(row), timestampOf(row), row.length, true)
    bucket.entries.set(id, entry)
    this.entryCount++
    return entry
  }

  private open(start: number): Bucket {
    const old = this.dropped.get(start)
    const bucket = old === undefined ? new Bucket(this, start, false) : this.reopened(old)
    this.buckets.set(start, bucket)
    addStart(this.starts, start)
    return bucket
  }

  private readAll(bucket: Bucket): void {
    const { reader, keys, prefix } = this.space
    const gte = startKey(prefix, bucket.start)
    for (const [bytes, row] of reader.range({ gte, lt: startKey(prefix, bucket.start + 1) })) {
      const key = keys.decode(bytes.subarray(gte.length))
      const id = keys.id(key)
      if (!bucket.entries.has(id)) this.admit(bucket, key, id, row)
    }
    bucket.complete = true
  }

  /** An empty bucket in the place of one that has rows in the database. */
  private reopened(old: Bucket): Bucket {
    this.dropped.delete(old.start)
    const bucket = new Bucket(this, old.start, true)
    for (const [id, { key, bytes, stored }] of old.entries)
      if (stored) bucket.entries.set(id, new Entry(key, 0, undefined, Number.NEGATIVE_INFINITY, bytes, true))
    this.entryCount += bucket.entries.size
    if (old.complete) bucket.complete = true
    else this.readAll(bucket)
    for (const entry of bucket.entries.values()) this.set(bucket, entry, undefined, 0)
    return bucket
  }

  /** Second chance, oldest start first: a sweep spares what was used since the last. Unwritten changes stay. */
  private evict(): void {
    const { cache } = this.space
    const each = this.heapBytes
    const limit = Math.max(64, cache.allowed(this.entryCount * each) / each)
    if (this.entryCount <= limit) return
    const tooMuch = (): boolean => this.entryCount > limit
    for (let round = 0; round < 2; round++) {
      for (const bucket of this.buckets.values()) {
        if (tooMuch()) sweep(bucket.entries, bucket.entries, tooMuch, (entry) => this.evicted(bucket, entry))
      }
    }
    cache.allowed(this.entryCount * each)
  }

  private evicted(bucket: Bucket, { stored }: Entry): void {
    this.entryCount--
    if (stored) bucket.complete = false
  }

  private rowKey(start: number, key: unknown): Buffer {
    const { prefix, keys } = this.space
    keys.write(rowKeys.reset().raw(prefix).time(start), key)
    return rowKeys.copy()
  }
}
