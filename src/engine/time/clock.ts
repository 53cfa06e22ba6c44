import type { FormerTimes } from './former.ts'

/** Something that has to act when the watermark gets somewhere. */
export interface Timed {
  readonly stepId: number
  /** When it wants to act next; Infinity: not at all. May be too early, never too late. */
  nextAt(): number
  /** Does all that is due at `at`. */
  fire(at: number): void
}

/** Told which step's work comes next, while `on`. */
export interface StepTimer {
  readonly on: boolean
  readonly cur: number
  to(step: number): void
}

/**
 * A task's event time: its watermark W, and who acts on it.
 *
 * W sweeps: when it moves from v to w, all timers in (v, w] fire in the order of their times, and while those of time t
 * fire W stands at t - 1. So what a closing window emits is not late for the window behind it, though both close at t
 * (Flink reaches the same by sending a watermark on after the results that it caused). Among equal times, steps act in
 * topological order.
 */
export class TaskClock {
  /** W: no record with timestamp <= w is expected any more. */
  w = Number.NEGATIVE_INFINITY
  /** No timer is due before; may be too early. Stays at -infinity until W has a value, since then all have to be asked. */
  next = Number.NEGATIVE_INFINITY
  /** Highest timestamp processed. */
  streamTime = Number.NEGATIVE_INFINITY
  /** What W is moving to while timers fire, which is what user code is told; else W or less. */
  target = Number.NEGATIVE_INFINITY
  /** W of the tasks that keys were with, as long as one of them was further. */
  former: FormerTimes | undefined = undefined
  /** All input has ended: W is going to +infinity, which is no time to expire anything by. */
  ended = false
  /** Where time goes while timers fire; absent where nobody asks. */
  meter: StepTimer | undefined = undefined
  /** Called once, before W goes to +infinity. */
  readonly ending: (() => void)[] = []
  /** When somebody acted last. */
  private acted = Number.NEGATIVE_INFINITY
  /** W before it went to +infinity. */
  private before = Number.NEGATIVE_INFINITY
  private readonly timed: Timed[] = []
  private readonly entering: () => void
  private readonly failed: (error: unknown, stepId: number) => void

  /**
   * @param entering told before timers fire: no record is at hand
   * @param failed told what a step's timer threw
   */
  constructor(entering: () => void, failed: (error: unknown, stepId: number) => void) {
    this.entering = entering
    this.failed = failed
  }

  add(timed: Timed): void {
    this.timed.push(timed)
    this.timed.sort((a, b) => a.stepId - b.stepId)
    this.notice(timed.nextAt())
  }

  /**
   * W as a later run goes on from it: there the input may not have ended, but what has acted must not act again, and what
   * has closed is closed.
   */
  get kept(): number {
    if (this.w !== Number.POSITIVE_INFINITY) return this.w
    return Math.max(this.before, this.acted, this.streamTime - 1)
  }

  /** W as it holds for a key: what has been brought about for it by then is over. */
  wOf(key: unknown): number {
    const { former, w } = this
    return former === undefined ? w : Math.max(w, former.of(key))
  }

  notice(at: number): void {
    if (at < this.next) this.next = at
  }

  /** Moves W, never back, and fires what is due at it or before. */
  advance(to: number): void {
    const target = to > this.w ? to : this.w
    this.target = target
    if (target === Number.POSITIVE_INFINITY && !this.ended) {
      this.ended = true
      this.before = this.w
      for (const act of this.ending) act()
    }
    while (this.next <= target && this.step(target)) {
      // one time of one step after the other
    }
    this.w = target
    if (this.former !== undefined && target >= this.former.highest && !this.ended) this.former = undefined
  }

  private step(target: number): boolean {
    let at = Number.POSITIVE_INFINITY
    let first: Timed | undefined
    for (const one of this.timed) {
      const due = one.nextAt()
      if (due < at) {
        at = due
        first = one
      }
    }
    if (first === undefined || at > target) {
      this.next = target === Number.NEGATIVE_INFINITY ? target : at
      return false
    }
    if (at - 1 > this.w) this.w = at - 1
    this.acted = at
    this.entering()
    const { meter } = this
    const caller = meter?.cur ?? 0
    if (meter?.on) meter.to(first.stepId)
    try {
      first.fire(at)
    } catch (error) {
      this.failed(error, first.stepId)
    }
    if (meter?.on) meter.to(caller)
    return true
  }
}
