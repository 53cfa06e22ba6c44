import { KeyWriter } from '../codec/index.ts'
import { bytesOf, type Chunk, CHUNK, groupOf, JoinBucket, JoinGroup, Kept } from './join-group.ts'
import { decodeChunk, encodeChunk } from './join-rows.ts'
import { roughBytes } from './rough-bytes.ts'
import { inKeyOrder } from './seal-order.ts'
import { type Sealer, type StoreSpace, writeTime } from './space.ts'
import { addStart, clearStretches, startKey, storedStarts } from './stretches.ts'
import { sweep } from './sweep.ts'

const rowKeys = new KeyWriter()
const number = Buffer.alloc(4)

/**
 * One side of a stream-stream join: records by (stretch of time, key). A join looks into the two or three stretches that
 * its window covers; a stretch whose records are all closed leaves the database by a range clear. What comes and goes
 * within one epoch is never written. The caller never adds to a stretch that it has dropped.
 *
 *     prefix | start of the stretch (8 bytes) | key | number of the chunk (4 bytes)  ->  up to 16 records in the order of arrival
 */
export class JoinTable {
  readonly space: StoreSpace
  /** Length of a stretch, ms. */
  readonly span: number
  private readonly buckets = new Map<number, JoinBucket>()
  private starts: number[]
  /** Buckets that the running epoch has changed. */
  private dirty: JoinBucket[] = []
  private epoch: number
  private readonly sealed: { epoch: number; groups: Chunk[][]; bytes: number }[] = []
  private sealedBytes = 0
  /** Encoded size of a record: the mean of those measured lately. */
  private meanBytes = 64
  /** Records of stretches that start until here are held by others too: they are not evicted. */
  private pinned = Number.NEGATIVE_INFINITY
  private cachedBytes = 0
  private groupCount = 0
  /** Starts dropped in this epoch that have rows in the database. */
  private dropped: number[] = []

  /** @param space its keys must be of the typed codec, whose keys end by themselves */
  constructor(space: StoreSpace, epoch: number, span: number) {
    this.space = space
    this.epoch = epoch
    this.span = span
    this.starts = storedStarts(space)
    for (const start of this.starts) this.buckets.set(start, new JoinBucket(start, true))
  }

  startOf(ts: number): number {
    return Math.floor(ts / this.span) * this.span
  }

  /** Live starts, ascending. */
  get liveStarts(): readonly number[] {
    return this.starts
  }

  /** The group of a key, if it may have records there. */
  find(start: number, key: unknown, id: string | number): JoinGroup | undefined {
    const bucket = this.buckets.get(start)
    if (bucket === undefined) return undefined
    const group = bucket.groups.get(id)
    if (group === undefined) return bucket.complete ? undefined : this.miss(bucket, key, id)
    group.used = true
    return group
  }

  /** Is this stretch's first record still to come? */
  isNew(start: number): boolean {
    return !this.buckets.has(start)
  }

  add(start: number, key: unknown, id: string | number, ts: number, value: unknown, matched: boolean): JoinGroup {
    const bucket = this.buckets.get(start) ?? this.open(start)
    let group = bucket.groups.get(id)
    if (group === undefined) group = bucket.complete ? this.admit(bucket, key, id) : this.miss(bucket, key, id)
    const n = group.arrived.length
    group.insert(new Kept(ts, value, n, matched))
    this.touch(group, n)
    return group
  }

  mark(group: JoinGroup, record: Kept): void {
    record.matched = true
    this.touch(group, record.n)
  }

  /** All groups of a start. It and those before stay in memory from now on. */
  pin(start: number): Iterable<JoinGroup> {
    this.pinned = start
    const bucket = this.buckets.get(start)
    if (bucket === undefined) return []
    if (!bucket.complete) this.readAll(bucket)
    return bucket.groups.values()
  }

  /** Forgets a start and its records; the database's go after the epoch is written. */
  drop(start: number): void {
    const bucket = this.buckets.get(start)
    if (bucket === undefined) return
    bucket.dead = true
    this.buckets.delete(start)
    this.starts.splice(this.starts.indexOf(start), 1)
    this.groupCount -= bucket.groups.size
    for (const group of bucket.groups.values()) this.cachedBytes -= bytesOf(group)
    if (bucket.stored) this.dropped.push(start)
  }

  /** Reads the groups of these keys at their times that are not in the cache, all at once; `reach` ms around them. */
  prefetch(
    keys: readonly unknown[],
    times: ArrayLike<number>,
    from: number,
    to: number,
    before: number,
    reach: number,
  ) {
    if (this.starts.every((start) => (this.buckets.get(start) as JoinBucket).complete)) return
    const missing: { bucket: JoinBucket; key: unknown; id: string | number }[] = []
    const asked = new Map<JoinBucket, Set<string | number>>()
    for (let i = from; i < to; i++) {
      const key = keys[i]
      if (key === null || key === undefined) continue
      const ts = times[i] as number
      for (let start = this.startOf(ts - before); start <= ts + reach; start += this.span) {
        const bucket = this.buckets.get(start)
        if (bucket === undefined || bucket.complete) continue
        const id = this.space.keys.id(key)
        let ids = asked.get(bucket)
        if (ids === undefined) asked.set(bucket, (ids = new Set()))
        if (bucket.groups.has(id) || ids.has(id)) continue
        ids.add(id)
        missing.push({ bucket, key, id })
      }
    }
    if (missing.length < 2) return
    const rows = this.space.reader.getMany(missing.map(({ bucket, key }) => this.rowKey(bucket.start, key, 0)))
    for (const [i, { bucket, key, id }] of missing.entries()) this.fill(this.admit(bucket, key, id), rows[i])
  }

  seal(sealer: Sealer): void {
    const { epoch } = this
    const changed = this.dirty
    this.epoch = epoch + 1
    this.dirty = []
    clearStretches(this.dropped, this.starts, this.space.prefix, sealer)
    this.dropped = []
    const live = changed.filter((bucket) => !bucket.dead).sort((a, b) => a.start - b.start)
    if (live.length === 0) return
    const groups = live.map((bucket) => this.sealBucket(bucket, sealer))
    const bytes = groups.reduce((sum, chunks) => chunks.reduce((all, chunk) => all + chunk.bytes, sum), 0)
    this.sealed.push({ epoch, groups, bytes })
    this.sealedBytes += bytes
  }

  private sealBucket(bucket: JoinBucket, sealer: Sealer): Chunk[] {
    const { keys, values, prefix } = this.space
    const start = startKey(prefix, bucket.start)
    const changed = bucket.dirty
    bucket.dirty = []
    bucket.stored = true
    for (const chunk of inKeyOrder(changed, keys)) {
      keys.write(rowKeys.reset().raw(start), chunk.key)
      const key = rowKeys.raw(chunkNumber(chunk.n)).view()
      const row = encodeChunk(groupOf(chunk), chunk.n, values)
      sealer.put(key, row)
      const size = key.length + row.length
      this.cachedBytes += size - chunk.bytes
      chunk.bytes = size
    }
    return changed
  }

  written(epoch: number): void {
    while (this.sealed.length > 0 && (this.sealed[0] as { epoch: number }).epoch <= epoch) {
      const { epoch: at, groups, bytes } = this.sealed.shift() as { epoch: number; groups: Chunk[][]; bytes: number }
      this.sealedBytes -= bytes
      for (const chunks of groups) {
        for (const chunk of chunks) {
          const group = groupOf(chunk)
          if (group.dirty === at) group.dirty = 0
        }
      }
    }
    this.measure()
    this.evict()
  }

  /** Says what is held, and what of it waits to be written; measures a few records more. */
  measure(): void {
    let waiting = 0
    for (const { dirty, dead } of this.dirty) {
      if (dead) continue
      for (const chunk of [dirty[0] as Chunk, dirty.at(-1) as Chunk]) {
        const { arrived } = groupOf(chunk)
        const record = arrived[arrived.length - 1] as Kept
        this.meanBytes += (roughBytes(record.value) + 16 - this.meanBytes) / 8
      }
      waiting += dirty.length
    }
    // a chunk has seldom more than one record more
    const unwritten = waiting * this.meanBytes
    this.space.cache.tell(this.held + unwritten * 4, (unwritten + this.sealedBytes) * 4)
  }

  /** Lets go what there is no room for, if it is written. */
  trim(): void {
    this.evict()
  }

  private touch(group: JoinGroup, n: number): void {
    const chunk = group.chunk(n >>> 4)
    group.dirty = this.epoch
    if (chunk.epoch === this.epoch) return
    chunk.epoch = this.epoch
    const { bucket } = group
    if (bucket.dirty.length === 0) this.dirty.push(bucket)
    bucket.dirty.push(chunk)
  }

  private open(start: number): JoinBucket {
    const bucket = new JoinBucket(start, false)
    this.buckets.set(start, bucket)
    addStart(this.starts, start)
    return bucket
  }

  private admit(bucket: JoinBucket, key: unknown, id: string | number): JoinGroup {
    const group = new JoinGroup(bucket, key, id)
    bucket.groups.set(id, group)
    this.groupCount++
    return group
  }

  private miss(bucket: JoinBucket, key: unknown, id: string | number): JoinGroup {
    const row = this.space.reader.get(this.rowKey(bucket.start, key, 0))
    return this.fill(this.admit(bucket, key, id), row)
  }

  /** Takes a group's first row and, if that is full, those behind it. */
  private fill(group: JoinGroup, row: Uint8Array | undefined): JoinGroup {
    if (row === undefined) return group
    this.decode(group, 0, row)
    if (group.arrived.length < CHUNK) return group
    const { start } = group.bucket
    const rows = this.space.reader.collect({
      gte: this.rowKey(start, group.key, 1),
      lt: this.rowKey(start, group.key, 0xffffffff),
    })
    for (let i = 1; i < rows.length; i += 2) this.decode(group, (i + 1) / 2, rows[i] as Uint8Array)
    return group
  }

  private readAll(bucket: JoinBucket): void {
    const { reader, keys, prefix } = this.space
    const gte = startKey(prefix, bucket.start)
    let group: JoinGroup | undefined
    let last: Uint8Array = gte
    for (const [bytes, row] of reader.range({ gte, lt: startKey(prefix, bucket.start + 1) })) {
      const key = bytes.subarray(gte.length, bytes.length - 4)
      const chunk = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0)
      if (chunk === 0 || Buffer.compare(key, last) !== 0) {
        last = Buffer.from(key)
        const decoded = keys.decode(last)
        const id = keys.id(decoded)
        group = bucket.groups.has(id) ? undefined : this.admit(bucket, decoded, id)
      }
      if (group !== undefined) this.decode(group, chunk, row)
    }
    bucket.complete = true
  }

  private decode(group: JoinGroup, chunk: number, row: Uint8Array): void {
    decodeChunk(group, row, this.space.values)
    group.chunk(chunk).bytes = row.length
    this.cachedBytes += row.length
  }

  /** Second chance, oldest stretch first: a sweep spares what was used since the last. Unwritten changes stay. */
  private evict(): void {
    const { cache } = this.space
    const limit = cache.allowed(this.held)
    if (this.held <= limit) return
    const tooMuch = (): boolean => this.held > limit
    for (let round = 0; round < 2; round++) {
      for (const start of this.starts) {
        if (start <= this.pinned || !tooMuch()) continue
        const bucket = this.buckets.get(start) as JoinBucket
        sweep(bucket.groups, bucket.groups, tooMuch, (group) => this.evicted(group))
      }
    }
    cache.allowed(this.held)
  }

  private evicted(group: JoinGroup): void {
    this.groupCount--
    this.cachedBytes -= bytesOf(group)
    if (group.records.length > 0) group.bucket.complete = false
  }

  private get held(): number {
    return (this.cachedBytes + this.groupCount * 16) * 4
  }

  private rowKey(start: number, key: unknown, chunk: number): Buffer {
    const { prefix, keys } = this.space
    const bytes = keys.encode(key)
    const row = Buffer.allocUnsafe(prefix.length + 12 + bytes.length)
    row.set(prefix, 0)
    writeTime(row, start, prefix.length)
    row.set(bytes, prefix.length + 8)
    row.writeUInt32BE(chunk, prefix.length + 8 + bytes.length)
    return row
  }
}

function chunkNumber(n: number): Uint8Array {
  number.writeUInt32BE(n)
  return number
}
