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
export const CHUNK = 16

/** Up to 16 records of a group, in the order of arrival: what lies in one row. */
export class Chunk {
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
export const groupOf = (chunk: Chunk): JoinGroup => (chunk instanceof JoinGroup ? chunk : (chunk as LaterChunk).group)

/** Encoded size of all its chunks. */
export function bytesOf({ bytes, later }: JoinGroup): number {
  let sum = bytes
  if (later !== undefined) for (const chunk of later) sum += chunk.bytes
  return sum
}

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
