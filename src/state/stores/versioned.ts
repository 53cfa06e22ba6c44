import { timestampOf, type ValueCodec } from './codecs.ts'
import type { KeyValueTable } from './key-value.ts'
import type { WindowTable } from './window.ts'

/** A row from `at` on, until the next version; null: a deletion. */
interface Version {
  readonly at: number
  readonly value: unknown
}

/** Where a versioned store's past lies, beside its present rows. */
export const pastStore = (store: string): string => `${store}.history`

/** A key's versions that begin in one stretch of time. */
export class Versions {
  /** What was there before the first of them. */
  before: Version | undefined
  /** Ascending. */
  readonly list: Version[] = []

  constructor(before: Version | undefined) {
    this.before = before
  }

  /** The version that holds at `at`, if one of the list does. */
  find(at: number): Version | undefined {
    const { list } = this
    let i = list.length - 1
    while (i >= 0 && (list[i] as Version).at > at) i--
    return list[i]
  }

  /** Is it the last of the list? */
  insert(version: Version): boolean {
    const { list } = this
    let i = list.length
    while (i > 0 && (list[i - 1] as Version).at > version.at) i--
    if (i > 0 && (list[i - 1] as Version).at === version.at) list[i - 1] = version
    else list.splice(i, 0, version)
    return (list[list.length - 1] as Version).at === version.at
  }
}

/**
 * Rows with their past, as Kafka Streams' versioned stores keep it (KIP-889). The present rows lie in a key-value table, as
 * those of any store; every version that is younger than `history` lies in the stretch of time in which it began, so that the
 * past leaves stretch by stretch. A stretch with versions of a key also knows what held before them: a look-up as of t asks
 * the stretch of t and, if nothing of the key began there, the next one that has anything of the key.
 *
 *     versions of a key   a@3      b@12 c@17        e@34           history: stretches of 10
 *     stretches           [ a ][ (a) b c ][        ][ (c) e ]      as of 25: nothing in [20, 30), then (c): c
 *
 * Time is that of the store: the highest timestamp ever put. A version older than that less `history` is refused.
 */
export class VersionedTable {
  readonly latest: KeyValueTable
  /** When the row began that the last `asOf` found. */
  foundAt = Number.NEGATIVE_INFINITY
  private readonly past: WindowTable
  private readonly history: number
  private readonly span: number
  private streamTime: number

  constructor(latest: KeyValueTable, past: WindowTable, history: number) {
    this.latest = latest
    this.past = past
    this.history = history
    this.span = stretchOf(history)
    this.streamTime = this.restoredTime()
  }

  /** Would a row from `at` on be too old to be kept? */
  forgets(at: number): boolean {
    return at < this.streamTime - this.history
  }

  /**
   * A row from `at` on; undefined deletes.
   * @returns is it the present row of its key now? undefined: it is too old, nothing was kept
   */
  put(key: unknown, value: unknown, at: number): boolean | undefined {
    if (this.forgets(at)) return undefined
    if (at > this.streamTime) this.advance(at)
    const { past, latest } = this
    const start = this.startOf(at)
    const bucket = past.bucket(start)
    const entry = bucket.load(key)
    const version = { at, value: value ?? null }
    const versions = (entry.value as Versions | undefined) ?? new Versions(this.versionAt(key, at))
    const last = versions.insert(version)
    past.set(bucket, entry, versions, this.streamTime)
    if (!last) return false
    const present = latest.load(key)
    const newer = present.value !== undefined && present.ts <= at ? undefined : this.nextStretchOf(key, start)
    if (newer === undefined) {
      if (value !== undefined || present.value !== undefined) latest.set(present, value, at)
      return true
    }
    // what held before the next stretch's versions is another row now
    const next = past.bucket(newer)
    const there = next.load(key)
    ;(there.value as Versions).before = version
    past.set(next, there, there.value, this.streamTime)
    return false
  }

  /** The row that held at `at`; undefined also if that is too long ago, unless it is the present one. */
  asOf(key: unknown, at: number): unknown {
    const present = this.latest.load(key)
    if (present.value !== undefined && present.ts <= at) {
      this.foundAt = present.ts
      return present.value
    }
    if (at < this.streamTime - this.history) return undefined
    const found = this.versionAt(key, at)
    if (found === undefined || found.value === null) return undefined
    this.foundAt = found.at
    return found.value
  }

  private versionAt(key: unknown, at: number): Version | undefined {
    const start = this.startOf(at)
    const own = this.versions(start, key)
    if (own !== undefined) return own.find(at) ?? own.before
    const next = this.nextStretchOf(key, start)
    if (next !== undefined) return (this.versions(next, key) as Versions).before
    const present = this.latest.load(key)
    return present.value === undefined ? undefined : { at: present.ts, value: present.value }
  }

  private nextStretchOf(key: unknown, start: number): number | undefined {
    const starts = this.past.liveStarts
    let i = starts.length
    while (i > 0 && (starts[i - 1] as number) > start) i--
    for (; i < starts.length; i++) if (this.versions(starts[i] as number, key) !== undefined) return starts[i]
    return undefined
  }

  private versions(start: number, key: unknown): Versions | undefined {
    const bucket = this.past.peek(start)
    if (bucket === undefined) return undefined
    const known = bucket.entries.get(this.past.space.keys.id(key))
    const entry = known ?? (bucket.complete ? undefined : bucket.load(key))
    return entry?.value as Versions | undefined
  }

  private advance(to: number): void {
    this.streamTime = to
    const { past } = this
    const oldest = to - this.history
    for (let [first] = past.liveStarts; first !== undefined && first + this.span <= oldest; [first] = past.liveStarts)
      past.drop(first)
  }

  private startOf(at: number): number {
    return Math.floor(at / this.span) * this.span
  }

  /** The highest timestamp is in the last stretch. */
  private restoredTime(): number {
    const start = this.past.liveStarts.at(-1)
    let highest = Number.NEGATIVE_INFINITY
    if (start === undefined) return highest
    for (const { value } of this.past.rows(this.past.bucket(start)))
      highest = Math.max(highest, ((value as Versions).list.at(-1) as Version).at)
    return highest
  }
}

/** Length of a stretch. */
export const stretchOf = (history: number): number => Math.max(1, Math.ceil(history / 32))

/** Layout: timestamp f64 | is there one before u8 | versions: is there a value u8 | length u32 | as the inner codec writes it. */
export function versionedValues(inner: ValueCodec): ValueCodec {
  return {
    encode(held, ts) {
      const { before, list } = held as Versions
      const parts: Uint8Array[] = [Buffer.allocUnsafe(9)]
      ;(parts[0] as Buffer).writeDoubleBE(ts, 0)
      ;(parts[0] as Buffer)[8] = before === undefined ? 0 : 1
      for (const { at, value } of before === undefined ? list : [before, ...list]) {
        const bytes = value === null ? timeOnly(at) : inner.encode(value, at)
        const head = Buffer.allocUnsafe(5)
        head[0] = value === null ? 0 : 1
        head.writeUInt32BE(bytes.length, 1)
        parts.push(head, bytes)
      }
      return Buffer.concat(parts)
    },
    decode(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const versions: Version[] = []
      for (let pos = 9; pos < bytes.length; ) {
        const length = view.getUint32(pos + 1)
        const start = pos + 5
        const value = bytes[pos] === 0 ? null : inner.decode(bytes.subarray(start, start + length))
        versions.push({ at: timestampOf(bytes, start), value })
        pos = start + length
      }
      const held = new Versions(bytes[8] === 1 ? versions.shift() : undefined)
      held.list.push(...versions)
      return held
    },
  }
}

function timeOnly(at: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleBE(at, 0)
  return bytes
}
