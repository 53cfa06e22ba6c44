import { KeyWriter } from '../codec/index.ts'
import { timestampOf } from './codecs.ts'
import { Entry } from './entry.ts'
import { KeyFilter } from './key-filter.ts'
import { KeyTable } from './key-table.ts'
import { roughBytes } from './rough-bytes.ts'
import { inKeyOrder } from './seal-order.ts'
import { after, concat, type Sealer, type StoreSpace } from './space.ts'

const rowKeys = new KeyWriter()

/**
 * A key-value store of one task: decoded entries in front of the database, written back once an epoch.
 *
 * An entry that epoch e changed stays in the cache until e is written, so that a read never finds an older row:
 * only clean entries are evicted. While `complete` holds, every live row is in the cache and a miss asks nobody.
 */
export class KeyValueTable {
  readonly space: StoreSpace
  private readonly entries: KeyTable<Entry>
  /** The one that was asked for last: who changes a row has mostly read it just before. */
  private last: Entry | undefined
  private dirty: Entry[] = []
  private epoch = 1
  /** Dirty lists of sealed epochs that are not written yet. */
  private readonly sealed: { epoch: number; entries: Entry[]; bytes: number }[] = []
  private sealedBytes = 0
  /** Turns over the dirty entries, to measure one now and then. */
  private probe = 0
  private complete: boolean
  /** Keys of rows that were let go of, if no row was there when the table was opened: the others have none. */
  private gone: KeyFilter | undefined
  /** All rows stay in memory; what is not there is not remembered either. */
  private readonly pinned: boolean
  /** Rows as of the last seal; NaN where they were never counted. */
  rows: number
  /** Keys asked for, and rows of them that had to be read from the database. */
  lookups = 0
  misses = 0
  private cachedBytes = 0
  /** Encoded size of what the running epoch changed is not known yet; entries changed times the mean row is the guess. */
  private meanBytes = 64

  constructor(space: StoreSpace, epoch: number) {
    this.space = space
    this.entries = new KeyTable(space.keys.same)
    this.epoch = epoch
    this.pinned = space.pinned === true
    this.complete = this.pinned || !this.anyRow()
    this.gone = this.complete && !this.pinned ? new KeyFilter() : undefined
    if (this.pinned) this.readAll()
    this.rows = this.pinned ? this.entries.size : this.complete ? 0 : Number.NaN
  }

  load(key: unknown): Entry {
    this.lookups++
    const { last } = this
    if (last !== undefined && last.key === key && typeof key !== 'object') {
      last.used = true
      return last
    }
    const hash = this.space.keys.hash(key)
    const found = this.entries.get(key, hash)
    if (found === undefined) return this.miss(key, hash)
    found.used = true
    this.last = found
    return found
  }

  /** Store the value under the entry's key; undefined deletes, and the timestamp goes with the row. */
  set(entry: Entry, value: unknown, ts: number): void {
    if (this.pinned) this.pin(entry)
    entry.value = value
    entry.ts = value === undefined ? Number.NEGATIVE_INFINITY : ts
    if (entry.dirty !== this.epoch) {
      entry.dirty = this.epoch
      this.dirty.push(entry)
    }
  }

  get(key: unknown): unknown {
    return this.load(key).value
  }

  put(key: unknown, value: unknown, ts: number): void {
    this.set(this.load(key), value, ts)
  }

  /** Reads the rows of these keys that are not in the cache, all at once. */
  prefetch(keys: readonly unknown[], from: number, to: number): void {
    if (this.complete) return
    const fresh: Entry[] = []
    let filled = 0
    try {
      const wanted = this.lacking(keys, from, to, fresh)
      const rows = wanted.length === 0 ? [] : this.space.reader.getMany(wanted)
      for (; filled < fresh.length; filled++) this.fill(fresh[filled] as Entry, rows[filled])
    } finally {
      // what cannot be read, or comes behind a key that cannot be, is not known to be absent
      for (; filled < fresh.length; filled++) this.entries.delete(fresh[filled] as Entry)
    }
  }

  /** Gives those that are not in the cache entries there, so that none is asked for twice, and the keys of their rows. */
  private lacking(keys: readonly unknown[], from: number, to: number, fresh: Entry[]): Buffer[] {
    const { space, entries } = this
    const rows: Buffer[] = []
    for (let i = from; i < to; i++) {
      const key = keys[i]
      if (key === null || key === undefined) continue
      const hash = space.keys.hash(key)
      if (entries.get(key, hash) !== undefined) continue
      if (this.gone?.mayHave(hash) === false) {
        this.admit(key, hash, undefined)
        continue
      }
      rows.push(this.rowKey(key))
      const entry = new Entry(key, hash, undefined, Number.NEGATIVE_INFINITY, 0, false)
      fresh.push(entry)
      entries.add(entry)
    }
    this.misses += fresh.length
    return rows
  }

  private fill(entry: Entry, row: Uint8Array | undefined): void {
    if (row === undefined) return
    entry.value = this.space.values.decode(row)
    entry.ts = timestampOf(row)
    entry.bytes = row.length
    entry.stored = true
    this.cachedBytes += row.length
  }

  /** Every row is in the cache. */
  get inMemory(): boolean {
    return this.complete
  }

  /** Says what is held, and what of it no eviction can free before the next epochs are written; measures one row more. */
  measure(): void {
    const { dirty } = this
    if (dirty.length > 0) {
      this.probe = (this.probe + 7919) % dirty.length
      const { value } = dirty[this.probe] as Entry
      if (value !== undefined) this.meanBytes += (roughBytes(value) + 32 - this.meanBytes) / 8
    }
    const unwritten = dirty.length * this.meanBytes
    this.space.cache.tell(this.held + unwritten * 4, (unwritten + this.sealedBytes) * 4)
  }

  /** Lets go what there is no room for, if it is written. */
  trim(): void {
    this.evict()
  }

  seal(sealer: Sealer): void {
    const { space, dirty, epoch } = this
    this.epoch = epoch + 1
    if (dirty.length === 0) return
    const { keys, values, prefix } = space
    let bytes = 0
    for (const entry of inKeyOrder(dirty, keys)) {
      keys.write(rowKeys.reset().raw(prefix), entry.key)
      const key = rowKeys.view()
      if (entry.value === undefined) {
        if (entry.stored) {
          sealer.delete(key)
          this.rows--
        }
        entry.stored = false
        continue
      }
      const row = values.view === undefined ? values.encode(entry.value, entry.ts) : values.view(entry.value, entry.ts)
      sealer.put(key, row)
      const size = key.length + row.length
      this.cachedBytes += size - entry.bytes
      entry.bytes = size
      if (!entry.stored) this.rows++
      entry.stored = true
      bytes += size
    }
    if (bytes > 0) this.meanBytes = bytes / dirty.length
    this.sealed.push({ epoch, entries: dirty, bytes })
    this.sealedBytes += bytes
    this.dirty = []
  }

  /** Epochs up to this one are in the database: their entries are clean, and may go. */
  written(epoch: number): void {
    while (this.sealed.length > 0 && (this.sealed[0] as { epoch: number }).epoch <= epoch) {
      const { epoch: at, entries, bytes } = this.sealed.shift() as { epoch: number; entries: Entry[]; bytes: number }
      for (const entry of entries) {
        if (entry.dirty !== at) continue
        entry.dirty = 0
        if (this.pinned && entry.value === undefined && this.entries.delete(entry)) this.cachedBytes -= entry.bytes
      }
      this.sealedBytes -= bytes
    }
    this.measure()
    this.evict()
  }

  /** Rows, counted in the cache, and guessed where not all are there. */
  count(): number {
    let live = 0
    for (const entry of this.entries) if (entry.value !== undefined) live++
    if (this.complete) return live
    for (const _ of this.space.reader.range({ gte: this.space.prefix, lt: after(this.space.prefix) })) live++
    return live
  }

  /** Rows in key order; [gte, lt) are bounds on the key's bytes. Dirty and stored rows are merged, the newest wins. */
  *scan(gte?: Uint8Array, lt?: Uint8Array, reverse = false): Generator<Entry> {
    const { space } = this
    const low = gte ? concat(space.prefix, gte) : space.prefix
    const high = lt ? concat(space.prefix, lt) : after(space.prefix)
    const mine = this.heldIn(gte, lt, reverse)
    if (this.complete) {
      for (const row of mine) if (row.entry.value !== undefined) yield row.entry
      return
    }
    const direction = reverse ? -1 : 1
    let i = 0
    for (const [key, row] of space.reader.range({ gte: low, lt: high, reverse })) {
      const bytes = key.subarray(space.prefix.length)
      let covered = false
      for (; i < mine.length; i++) {
        const { entry, bytes: own } = mine[i] as Held
        const order = Buffer.compare(own, bytes) * direction
        if (order > 0) break
        if (order === 0) covered = true
        if (entry.value !== undefined) yield entry
      }
      if (covered) continue
      const decoded = space.keys.decode(bytes)
      yield new Entry(
        decoded,
        space.keys.hash(decoded),
        space.values.decode(row),
        timestampOf(row),
        key.length + row.length,
        true,
      )
    }
    for (; i < mine.length; i++) {
      const { entry } = mine[i] as Held
      if (entry.value !== undefined) yield entry
    }
  }

  private heldIn(gte: Uint8Array | undefined, lt: Uint8Array | undefined, reverse: boolean): Held[] {
    const held: Held[] = []
    for (const entry of this.entries) {
      const bytes = this.space.keys.encode(entry.key)
      if (gte && Buffer.compare(bytes, gte) < 0) continue
      if (lt && Buffer.compare(bytes, lt) >= 0) continue
      held.push({ entry, bytes })
    }
    const direction = reverse ? -1 : 1
    return held.sort((a, b) => Buffer.compare(a.bytes, b.bytes) * direction)
  }

  private miss(key: unknown, hash: number): Entry {
    const { space } = this
    if (this.pinned) return new Entry(key, hash, undefined, Number.NEGATIVE_INFINITY, 0, false)
    if (this.complete || this.gone?.mayHave(hash) === false) return this.admit(key, hash, undefined)
    this.misses++
    return this.admit(key, hash, space.reader.get(this.rowKey(key)))
  }

  /** An entry of what was not there: a row without one is not remembered. */
  private pin(entry: Entry): void {
    const known = this.entries.get(entry.key, entry.hash)
    if (known === entry) return
    if (known !== undefined) this.entries.delete(known)
    this.entries.add(entry)
  }

  private readAll(): void {
    const { reader, prefix, keys } = this.space
    for (const [bytes, row] of reader.range({ gte: prefix, lt: after(prefix) })) {
      const key = keys.decode(bytes.subarray(prefix.length))
      this.admit(key, keys.hash(key), row)
    }
  }

  private rowKey(key: unknown): Buffer {
    const { prefix, keys } = this.space
    keys.write(rowKeys.reset().raw(prefix), key)
    return rowKeys.copy()
  }

  private admit(key: unknown, hash: number, row: Uint8Array | undefined): Entry {
    const entry =
      row === undefined
        ? new Entry(key, hash, undefined, Number.NEGATIVE_INFINITY, 0, false)
        : new Entry(key, hash, this.space.values.decode(row), timestampOf(row), row.length, true)
    this.cachedBytes += entry.bytes
    this.entries.add(entry)
    this.last = entry
    return entry
  }

  /** Second chance: a sweep spares what was used since the last one. Only entries without unwritten changes go. */
  private evict(): void {
    const { cache } = this.space
    const limit = cache.allowed(this.held)
    if (this.held <= limit) return
    const spared = (entry: Entry): boolean => {
      const kept = entry.dirty !== 0 || entry.used
      if (entry.dirty === 0) entry.used = false
      return kept
    }
    const enough = (gone: Entry): boolean => {
      this.cachedBytes -= gone.bytes
      if (gone.stored) {
        this.complete = false
        if (this.gone?.add(gone.hash) === false) this.gone = undefined
      }
      return this.held <= limit
    }
    this.last = undefined
    this.entries.sweep(2, spared, enough)
    cache.allowed(this.held)
  }

  /** Bytes on the heap, estimated. */
  private get held(): number {
    return (this.cachedBytes + this.entries.size * 16) * 4 + (this.gone?.bytes ?? 0)
  }

  private anyRow(): boolean {
    const { reader, prefix } = this.space
    for (const _ of reader.range({ gte: prefix, lt: after(prefix), limit: 1 })) return true
    return false
  }
}

interface Held {
  readonly entry: Entry
  readonly bytes: Uint8Array
}
