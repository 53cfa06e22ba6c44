import { CarefulReplay, RetryEpoch } from './failures.ts'

/** How long to wait before what a policy wants tried again is, ms; more tries there are not. */
export const retryDelays = [100, 200, 400, 800, 1600, 3200, 6400, 10_000]

/** How epochs that were taken back are worked on again, by the thread that has worked on them. */
export class Replays {
  /** From now on aggregates are copied before they are added to. */
  careful = false
  private retries = 0

  /**
   * An epoch is taken back.
   *
   * @param cause of an `EpochAborted`
   * @throws what is not to be tried again
   */
  note(cause: unknown): void {
    if (cause instanceof CarefulReplay) this.careful = true
    else if (!(cause instanceof RetryEpoch) || this.retries >= retryDelays.length)
      throw cause instanceof RetryEpoch ? cause.cause : cause
    else this.retries++
  }

  /** Until the next try, ms. */
  get delay(): number {
    return retryDelays[this.retries - 1] ?? 0
  }

  /** An epoch is written: what fails from now on has as many tries again. */
  succeeded(): void {
    this.retries = 0
  }
}
