import { KeyWriter } from '../codec/index.ts'
import { RowWriter } from './row-writer.ts'
import { after, readTime, type Sealer, type StoreSpace } from './space.ts'
import { addStart, clearStretches, startKey } from './stretches.ts'

/** A key, and when it is looked at. */
export interface Due {
  readonly at: number
  readonly key: unknown
}

/** Bytes on the heap of one that is kept, estimated. */
const dueBytes = 64

class Stretch {
  readonly start: number
  /** Of the running epoch. */
  fresh: Due[] = []
  /** Of earlier ones; undefined: they are in the database only, but for `unwritten`. */
  held: Due[] | undefined
  /** Sealed, and perhaps not written yet, where `held` is undefined. */
  unwritten: Due[] = []
  /** Rows of it may lie in the database. */
  stored: boolean
  /** What was in it has been taken, and is not kept here any more. */
  taken = false

  constructor(start: number, stored: boolean) {
    this.start = start
    this.stored = stored
    this.held = stored ? undefined : []
  }
}

/** Of a row, about. Changelogs are topics. */
const mostBytes = 256 * 1024
const rowKeys = new KeyWriter()
const keyBytes = new KeyWriter()
const rows = new RowWriter()

/**
 * Keys by stretches of time in which they are due. A stretch is written to, taken as a whole when its time comes, and
 * dropped. What an epoch adds to a stretch is a row, or as many as keep each below what a topic takes; nothing is ever changed or removed one
 * by one, so that what is taken may be out of date, which whoever takes it has to know.
 *
 *     prefix | start (8 bytes) | number of the row (8 bytes)  ->  length of the key u32 | key | at f64, ...
 */
export class DueIndex {
  readonly space: StoreSpace
  private readonly stretches = new Map<number, Stretch>()
  /** Ascending. */
  private starts: number[]
  /** Dropped in this epoch, with rows in the database. */
  private readonly dropped = new Map<number, Stretch>()
  private epoch: number
  private next = 0
  private count = 0

  constructor(space: StoreSpace, epoch: number) {
    this.space = space
    this.epoch = epoch
    this.starts = this.storedStarts()
    for (const start of this.starts) this.stretches.set(start, new Stretch(start, true))
  }

  /** Stretches that something may be in, ascending. */
  get liveStarts(): readonly number[] {
    return this.starts
  }

  add(start: number, key: unknown, at: number): void {
    const stretch = this.stretches.get(start) ?? this.open(start)
    stretch.fresh.push({ at, key })
    this.count++
  }

  /** All that is in a stretch, in no order. What is added from now on is only kept for a restart. */
  take(start: number): Due[] {
    const stretch = this.stretches.get(start)
    if (stretch === undefined || stretch.taken) return []
    const { held, fresh } = stretch
    // twice does no harm
    const all = [...(held ?? this.read(start)), ...stretch.unwritten, ...fresh]
    this.count -= (held?.length ?? 0) + stretch.unwritten.length
    stretch.unwritten = []
    stretch.held = []
    stretch.taken = true
    return all
  }

  /** Forgets a stretch; its rows go after the epoch is written. */
  drop(start: number): void {
    const stretch = this.stretches.get(start)
    if (stretch === undefined) return
    this.stretches.delete(start)
    this.starts.splice(this.starts.indexOf(start), 1)
    this.count -= stretch.fresh.length + stretch.unwritten.length + (stretch.held?.length ?? 0)
    stretch.fresh = []
    stretch.unwritten = []
    stretch.held = []
    if (stretch.stored) this.dropped.set(start, stretch)
  }

  seal(sealer: Sealer): void {
    this.epoch++
    clearStretches(this.dropped.keys(), this.starts, this.space.prefix, sealer)
    this.dropped.clear()
    for (const start of this.starts) {
      const stretch = this.stretches.get(start) as Stretch
      const { fresh } = stretch
      if (fresh.length === 0) continue
      this.put(sealer, start, fresh)
      stretch.stored = true
      stretch.fresh = []
      if (stretch.taken) {
        this.count -= fresh.length
        continue
      }
      const kept = stretch.held ?? stretch.unwritten
      for (const due of fresh) kept.push(due)
    }
  }

  /** What the cache has no room for is read again when it is taken: the furthest first. */
  written(epoch: number): void {
    const room = this.space.cache.allowed(this.count * dueBytes) / dueBytes
    // rows that are sealed and not written yet cannot be read
    if (epoch < this.epoch - 1) return
    for (let i = this.starts.length - 1; i >= 0; i--) {
      const stretch = this.stretches.get(this.starts[i] as number) as Stretch
      this.count -= stretch.unwritten.length
      stretch.unwritten = []
      if (this.count <= room || stretch.taken || !stretch.stored) continue
      this.count -= stretch.held?.length ?? 0
      stretch.held = undefined
    }
  }

  /** Says what is held, and what of it waits to be written. */
  measure(): void {
    let fresh = 0
    for (const start of this.starts) fresh += (this.stretches.get(start) as Stretch).fresh.length
    this.space.cache.tell(this.count * dueBytes, fresh * dueBytes)
  }

  /** What is held goes when an epoch is written. */
  trim(): void {}

  private open(start: number): Stretch {
    // its rows may stay: they are out of date
    const old = this.dropped.get(start)
    this.dropped.delete(start)
    const stretch = old ?? new Stretch(start, false)
    this.stretches.set(start, stretch)
    addStart(this.starts, start)
    return stretch
  }

  private put(sealer: Sealer, start: number, dues: readonly Due[]): void {
    const { keys, prefix } = this.space
    for (let i = 0; i < dues.length; ) {
      rows.reset()
      for (; i < dues.length && rows.size < mostBytes; i++) {
        const { key, at } = dues[i] as Due
        keys.write(keyBytes.reset(), key)
        rows.uint32(keyBytes.pos).raw(keyBytes.view()).double(at)
      }
      sealer.put(
        rowKeys
          .reset()
          .raw(prefix)
          .time(start)
          .time(this.next++)
          .view(),
        rows.view(),
      )
    }
  }

  private read(start: number): Due[] {
    const { reader, keys, prefix } = this.space
    const found: Due[] = []
    for (const [, row] of reader.range({ gte: startKey(prefix, start), lt: startKey(prefix, start + 1) })) {
      const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
      for (let at = 0; at < row.length; ) {
        const begin = at + 4
        const end = begin + view.getUint32(at)
        // copied: what codecs make of bytes may be a view on them
        found.push({ key: keys.decode(Buffer.from(row.subarray(begin, end))), at: view.getFloat64(end) })
        at = end + 8
      }
    }
    return found
  }

  /** One seek each, from the last; rows are numbered on from the highest number there is. */
  private storedStarts(): number[] {
    const { reader, prefix } = this.space
    const found: number[] = []
    for (let lt: Buffer = after(prefix); ; ) {
      let start: number | undefined
      for (const [key] of reader.range({ gte: prefix, lt, reverse: true, limit: 1 })) {
        start = readTime(key, prefix.length)
        this.next = Math.max(this.next, readTime(key, prefix.length + 8) + 1)
      }
      if (start === undefined) return found.reverse()
      found.push(start)
      lt = startKey(prefix, start)
    }
  }
}
