/** Longest that a write should hold the thread that answers, ms. */
const longestHold = 3
/** Epochs come so many times as often at most, so that what an interval is for is kept. */
const mostOften = 8
/** ms; more often, what an epoch costs besides its rows would be felt. */
const shortest = 10

/**
 * How long epochs are. The thread that writes them is the one that answers questions, and a write of ten thousand rows holds it
 * for 10 to 20 ms: while somebody asks, epochs are shorter, so that each has fewer rows.
 */
export class EpochPace {
  private readonly interval: number
  /** What writing takes of the time that is written, 0 to 1. */
  private share = 0
  private asked = false

  /** @param interval ms, where nobody asks */
  constructor(interval: number) {
    this.interval = interval
  }

  /** Somebody asks. */
  heed(): void {
    this.asked = true
  }

  /**
   * An epoch was written.
   *
   * @param hold how long that took, ms
   * @param covered since the write before it, ms
   * @returns the interval that the next ones should have, ms
   */
  written(hold: number, covered: number): number {
    const share = Math.min(1, hold / Math.max(hold, covered, 1))
    // one write that was held up should not count for all
    this.share += (share - this.share) / 4
    const { asked } = this
    this.asked = false
    const least = Math.max(shortest, this.interval / mostOften)
    if (!asked || this.share === 0 || least >= this.interval) return this.interval
    return Math.min(this.interval, Math.max(least, longestHold / this.share))
  }
}
