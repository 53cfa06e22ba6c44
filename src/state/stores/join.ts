import { KeyWriter } from '../codec/index.ts'
import { roughBytes } from './rough-bytes.ts'
import { inKeyOrder } from './seal-order.ts'
import { after, concat, readTime, type Sealer, type StoreSpace, writeTime } from './space.ts'

/** A record of a stream that waits for its partners. */
export class Kept {
  readonly ts: number
  readonly value: unknown
  /** How many records of its group came before it. */
  readonly n: number
  matched: boolean

  constructor(ts: number, value: unknown, n: number, matched: boolean) {
    this.ts = ts
    this.value = value
    this.n = n
    this.matched = matched
  }
}

/** Records of a chunk lie in one row, so that a record more writes a few of its neighbours again, and not all of its key's. */
const CHUNK = 16
const rowKeys = new KeyWriter()
const number = Buffer.alloc(4)
let row = Buffer.allocUnsafe(4096)

/** Up to 16 records of a group, in the order of arrival: what lies in one row. */
class Chunk {
  readonly key: unknown
  readonly n: number
  /** Last epoch that changed it. */
  epoch = 0
  /** Encoded size when last read or sealed. */
  bytes = 0

  constructor(key: unknown, n: number) {
    this.key = key
    this.n = n
  }
}

/** The records of one key in one bucket, and the first chunk of them, which is all of them mostly. */
export class JoinGroup extends Chunk {
  readonly id: string | number
  readonly bucket: JoinBucket
  /** By timestamp, equal ones in the order of arrival. */
  records: Kept[] = none
  /** In the order of arrival; the same array until one comes out of order. */
  arrived: Kept[] = none
  later: LaterChunk[] | undefined = undefined
  /** Last epoch that changed any; 0: none since it was read. */
  dirty = 0
  used = true

  constructor(bucket: JoinBucket, key: unknown, id: string | number) {
    super(key, 0)
    this.bucket = bucket
    this.id = id
  }

  chunk(n: number): Chunk {
    if (n === 0) return this
    this.later ??= []
    for (let i = this.later.length; i < n; i++) this.later.push(new LaterChunk(this, i + 1))
    return this.later[n - 1] as Chunk
  }

  insert(record: Kept): void {
    const { records } = this
    const last = records[records.length - 1]
    if (last === undefined) {
      // an array that is made with one item has room for one
      this.records = [record]
      this.arrived = this.records
      return
    }
    if (last.ts <= record.ts) {
      records.push(record)
      if (this.arrived !== records) this.arrived.push(record)
      return
    }
    if (this.arrived === records) this.arrived = records.slice()
    this.arrived.push(record)
    records.splice(this.from(record.ts + 1), 0, record)
  }

  /** Index of the first record at `ts` or later. */
  from(ts: number): number {
    const { records } = this
    let low = 0
    let high = records.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((records[middle] as Kept).ts < ts) low = middle + 1
      else high = middle
    }
    return low
  }
}

class LaterChunk extends Chunk {
  readonly group: JoinGroup

  constructor(group: JoinGroup, n: number) {
    super(group.key, n)
    this.group = group
  }
}

const none: Kept[] = []
const groupOf = (chunk: Chunk): JoinGroup => (chunk instanceof JoinGroup ? chunk : (chunk as LaterChunk).group)

/** All records of one stretch of time. */
export class JoinBucket {
  readonly start: number
  readonly groups = new Map<string | number, JoinGroup>()
  /** Every group of it is in `groups`. */
  complete: boolean
  /** Rows of it may lie in the database. */
  stored: boolean
  dead = false
  /** What the running epoch has changed. */
  dirty: Chunk[] = []

  constructor(start: number, stored: boolean) {
    this.start = start
    this.complete = !stored
    this.stored = stored
  }
}

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
    this.starts = this.storedStarts()
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
    this.sealDropped(sealer)
    const live = changed.filter((bucket) => !bucket.dead).sort((a, b) => a.start - b.start)
    if (live.length === 0) return
    const groups = live.map((bucket) => this.sealBucket(bucket, sealer))
    const bytes = groups.reduce((sum, chunks) => chunks.reduce((all, chunk) => all + chunk.bytes, sum), 0)
    this.sealed.push({ epoch, groups, bytes })
    this.sealedBytes += bytes
  }

  private sealBucket(bucket: JoinBucket, sealer: Sealer): Chunk[] {
    const { keys } = this.space
    const start = this.startKey(bucket.start)
    const changed = bucket.dirty
    bucket.dirty = []
    bucket.stored = true
    for (const chunk of inKeyOrder(changed, keys)) {
      keys.write(rowKeys.reset().raw(start), chunk.key)
      const key = rowKeys.raw(chunkNumber(chunk.n)).view()
      const row = this.encode(groupOf(chunk), chunk.n)
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
    let i = this.starts.length
    while (i > 0 && (this.starts[i - 1] as number) > start) i--
    this.starts.splice(i, 0, start)
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
    const { reader, keys } = this.space
    const gte = this.startKey(bucket.start)
    let group: JoinGroup | undefined
    let last: Uint8Array = gte
    for (const [bytes, row] of reader.range({ gte, lt: this.startKey(bucket.start + 1) })) {
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

  /** Row: for each record matched u8 | length u32 | as the value codec writes it. Valid until the next call. */
  private encode(group: JoinGroup, chunk: number): Buffer {
    const { values } = this.space
    const end = Math.min((chunk + 1) * CHUNK, group.arrived.length)
    let at = 0
    for (let i = chunk * CHUNK; i < end; i++) {
      const { ts, value, matched } = group.arrived[i] as Kept
      const bytes = values.view === undefined ? values.encode(value, ts) : values.view(value, ts)
      const next = at + 5 + bytes.length
      if (next > row.length) {
        const larger = Buffer.allocUnsafe(next * 2)
        larger.set(row.subarray(0, at))
        row = larger
      }
      row[at] = matched ? 1 : 0
      row.writeUInt32BE(bytes.length, at + 1)
      row.set(bytes, at + 5)
      at = next
    }
    return row.subarray(0, at)
  }

  private decode(group: JoinGroup, chunk: number, row: Uint8Array): void {
    const { values } = this.space
    const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
    for (let at = 0; at < row.length; ) {
      const length = view.getUint32(at + 1)
      const start = at + 5
      const value = values.decode(row.subarray(start, start + length))
      group.insert(new Kept(view.getFloat64(start), value, group.arrived.length, row[at] === 1))
      at = start + length
    }
    group.chunk(chunk).bytes = row.length
    this.cachedBytes += row.length
  }

  private sealDropped(sealer: Sealer): void {
    if (this.dropped.length === 0) return
    const gone = this.dropped.sort((a, b) => a - b)
    this.dropped = []
    for (let i = 0; i < gone.length; ) {
      const first = gone[i] as number
      const next = this.starts.find((start) => start > first) ?? Number.POSITIVE_INFINITY
      while (i + 1 < gone.length && (gone[i + 1] as number) < next) i++
      sealer.clearLater(this.startKey(first), this.startKey((gone[i++] as number) + 1))
    }
  }

  /** Second chance, oldest stretch first: a sweep spares what was used since the last. Unwritten changes stay. */
  private evict(): void {
    const { cache } = this.space
    const limit = cache.allowed(this.held)
    if (this.held <= limit) return
    for (let sweep = 0; sweep < 2 && this.held > limit; sweep++)
      for (const start of this.starts)
        if (start > this.pinned) this.evictFrom(this.buckets.get(start) as JoinBucket, limit)
    cache.allowed(this.held)
  }

  private evictFrom(bucket: JoinBucket, limit: number): void {
    for (const [id, group] of bucket.groups) {
      if (this.held <= limit) return
      if (group.dirty !== 0) continue
      if (group.used) {
        group.used = false
        continue
      }
      bucket.groups.delete(id)
      this.groupCount--
      this.cachedBytes -= bytesOf(group)
      if (group.records.length > 0) bucket.complete = false
    }
  }

  private get held(): number {
    return (this.cachedBytes + this.groupCount * 16) * 4
  }

  private startKey(start: number): Buffer {
    const { prefix } = this.space
    const key = Buffer.allocUnsafe(prefix.length + 8)
    key.set(prefix, 0)
    writeTime(key, start, prefix.length)
    return key
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

  /** One seek for each start that has rows. */
  private storedStarts(): number[] {
    const { reader, prefix } = this.space
    const found: number[] = []
    const lt = after(prefix)
    for (let gte: Buffer = concat(prefix, new Uint8Array(0)); ; ) {
      const [key] = reader.collect({ gte, lt, limit: 1 })
      if (key === undefined) return found
      const start = readTime(key, prefix.length)
      found.push(start)
      gte = this.startKey(start + 1)
    }
  }
}

function bytesOf({ bytes, later }: JoinGroup): number {
  let sum = bytes
  if (later !== undefined) for (const chunk of later) sum += chunk.bytes
  return sum
}

function chunkNumber(n: number): Uint8Array {
  number.writeUInt32BE(n)
  return number
}
