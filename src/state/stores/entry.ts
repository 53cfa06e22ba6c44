/** A decoded row in the cache. `value === undefined`: known to be absent. */
export class Entry {
  readonly key: unknown
  readonly id: string | number
  value: unknown
  /** Highest timestamp that went into the value. */
  ts: number
  /** Last epoch that changed it; 0: none since it was read. */
  dirty: number
  /** Touched since the last sweep of the eviction. */
  used: boolean
  /** Encoded size when last read or sealed. */
  bytes: number
  /** A row of it may lie in the database. */
  stored: boolean

  constructor(key: unknown, id: string | number, value: unknown, ts: number, bytes: number, stored: boolean) {
    this.key = key
    this.id = id
    this.value = value
    this.ts = ts
    this.dirty = 0
    this.used = true
    this.bytes = bytes
    this.stored = stored
  }
}
