/** Early checkpoints cost more than they save where there is next to no cache. Bytes on the heap, estimated. */
const leastUnwritten = 4 << 20

/**
 * The memory for decoded rows that the stores of a thread share. There is one limit and no fixed parts: as long as there is room
 * a store keeps all it has, and beyond it each gives back in proportion to what it holds. What waits to be written cannot be
 * given back: it asks for a checkpoint at half the limit, and for a rest at the whole.
 */
export class CachePool {
  /** Bytes on the heap, estimated. */
  readonly limit: number
  private held = 0
  private unwritten = 0
  /** What the last trim could not free. */
  private rest = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** For one store. */
  share(): CacheShare {
    let mine = 0
    let waiting = 0
    return {
      allowed: (held) => {
        this.held += held - mine
        mine = held
        return this.held <= this.limit ? Number.POSITIVE_INFINITY : (held * this.limit) / this.held
      },
      tell: (held, unwritten) => {
        this.held += held - mine
        mine = held
        this.unwritten += unwritten - waiting
        waiting = unwritten
      },
    }
  }

  /** For a store that gives nothing back: what it holds is the user's choice, what waits to be written is counted. */
  pinned(): CacheShare {
    let waiting = 0
    return {
      allowed: () => Number.POSITIVE_INFINITY,
      tell: (_held, unwritten) => {
        this.unwritten += unwritten - waiting
        waiting = unwritten
      },
    }
  }

  /** So much waits to be written that it should be, early. @param besides bytes of other things that wait */
  pressed(besides = 0): boolean {
    return this.unwritten + besides > Math.max(this.limit, leastUnwritten) / 2
  }

  /** No more should be changed before something is written. */
  full(besides = 0): boolean {
    return this.unwritten + besides > Math.max(this.limit, leastUnwritten)
  }

  /** Stores hold more than they should of what can be read again: time to trim them all. */
  get crowded(): boolean {
    const slack = this.limit / 8 + (1 << 16)
    return this.held > Math.max(this.limit, this.rest) + slack && this.held - this.unwritten > slack
  }

  /** The stores were trimmed. */
  trimmed(): void {
    this.rest = this.held
  }
}

/** A store's side of the pool. */
export interface CacheShare {
  /** Says what the store holds now; gives how much of it may stay. Bytes on the heap, estimated. */
  allowed(held: number): number
  /** Says what the store holds, and how much of that waits to be written. */
  tell(held: number, unwritten: number): void
}
