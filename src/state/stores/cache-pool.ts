/**
 * The memory for decoded rows that the stores of a thread share. There is one limit and no fixed parts: as long as there is room
 * a store keeps all it has, and beyond it each gives back in proportion to what it holds.
 */
export class CachePool {
  /** Bytes on the heap, estimated. */
  readonly limit: number
  private held = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** For one store. */
  share(): CacheShare {
    let mine = 0
    return {
      allowed: (held) => {
        this.held += held - mine
        mine = held
        return this.held <= this.limit ? Number.POSITIVE_INFINITY : (held * this.limit) / this.held
      },
    }
  }
}

/** A store's side of the pool. */
export interface CacheShare {
  /** Says what the store holds now; gives how much of it may stay. Bytes on the heap, estimated. */
  allowed(held: number): number
}
