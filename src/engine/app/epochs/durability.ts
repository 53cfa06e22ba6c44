import type { Clock } from '../../../dsl/time/index.ts'

/** With `sync: 'interval'`, how much a loss of power may cost, ms. */
const syncInterval = 1000

/**
 * When what was written has to reach the disk: with each epoch, at most a second after it, or whenever the operating system
 * likes.
 */
export class Durability {
  private readonly mode: 'commit' | 'interval' | 'os'
  private readonly clock: Clock
  private readonly flush: () => void
  private syncedAt = Number.NEGATIVE_INFINITY
  private timer: Disposable | undefined

  /** @param flush brings to the disk what was written */
  constructor(mode: 'commit' | 'interval' | 'os', clock: Clock, flush: () => void) {
    this.mode = mode
    this.clock = clock
    this.flush = flush
  }

  /** Is the write that comes now to be synced? */
  next(): boolean {
    if (this.mode !== 'interval') return this.mode === 'commit'
    const now = this.clock.now()
    if (now - this.syncedAt >= syncInterval) {
      this.syncedAt = now
      this.stop()
      return true
    }
    this.timer ??= this.clock.setTimer(this.syncedAt + syncInterval, () => {
      this.timer = undefined
      this.syncedAt = this.clock.now()
      this.flush()
    })
    return false
  }

  stop(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = undefined
  }
}
