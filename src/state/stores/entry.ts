/** What the upper half of a time counts: halves of times are small integers, which lie in the object itself. */
const half = 2 ** 25
/** Upper half of what is no time of whole milliseconds, such as the infinities. */
const odd = -1

/** A decoded row in the cache. `value === undefined`: known to be absent. */
export class Entry {
  readonly key: unknown
  /** Of its key, in tables that are found by it. */
  readonly hash: number
  value: unknown
  private high: number
  private low: number
  /** Last epoch that changed it; 0: none since it was read. */
  dirty: number
  /** Touched since the last sweep of the eviction. */
  used: boolean
  /** A row of it may lie in the database. */
  stored: boolean
  /** Encoded size when last read or sealed. */
  bytes: number
  private other: number | undefined

  constructor(key: unknown, hash: number, value: unknown, ts: number, bytes: number, stored: boolean) {
    this.key = key
    this.hash = hash
    this.value = value
    this.high = 0
    this.low = 0
    this.dirty = 0
    this.used = true
    this.stored = stored
    this.bytes = bytes
    this.other = undefined
    this.ts = ts
  }

  /** Highest timestamp that went into the value. A double would lie in an object of its own, as V8 keeps fields. */
  get ts(): number {
    return this.high === odd ? (this.other as number) : this.high * half + this.low
  }

  set ts(ts: number) {
    const high = (ts / half) | 0
    const low = (ts - high * half) | 0
    if (high >= 0 && high * half + low === ts) {
      this.high = high
      this.low = low
    } else {
      this.high = odd
      this.other = ts
    }
  }
}
