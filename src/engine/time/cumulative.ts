import type { WindowAssigner } from './window-assigner.ts'

/**
 * Windows that grow by a step until their period is over: [S, S + step), [S, S + 2 step), … [S, E).
 *
 *     period     [S─────────────────E)     max = 3 steps
 *     windows    [─────)
 *                [───────────)
 *                [─────────────────)
 *
 * Each is known by where its last step begins. The last step of a period ends with it: a day of 23 hours has no 24th.
 */
export class CumulativeWindows implements WindowAssigner {
  readonly single = false
  private readonly periods: WindowAssigner
  private readonly step: number
  /** The last answer: rows of a window are asked for one after the other. */
  private at = Number.NaN
  private start = Number.NaN

  /** @param periods that do not overlap */
  constructor(periods: WindowAssigner, step: number) {
    this.periods = periods
    this.step = step
  }

  /** The last step of the period: the whole of it holds t, as do all before it that end after t. */
  lastStart(t: number): number {
    const start = this.periods.lastStart(t)
    return start + this.step * (Math.ceil((this.periods.endOf(start) - start) / this.step) - 1)
  }

  previous(at: number): number {
    return at === this.startOf(at) ? -1 : at - this.step
  }

  next(at: number): number {
    return Math.min(at + this.step, this.periods.endOf(this.startOf(at)))
  }

  startOf(at: number): number {
    if (at === this.at) return this.start
    const start = this.periods.lastStart(at)
    this.at = at
    this.start = start
    return start
  }

  endOf(at: number): number {
    return this.next(at)
  }
}
