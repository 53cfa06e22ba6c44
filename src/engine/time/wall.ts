import type { Timed } from './clock.ts'

/** A task's wall clock: timers and punctuators that follow it. Time itself comes from outside, so that tests never sleep. */
export class WallClock {
  private readonly read: () => number
  private readonly timed: Timed[] = []
  private next = Number.POSITIVE_INFINITY

  constructor(read: () => number) {
    this.read = read
  }

  now(): number {
    return this.read()
  }

  add(timed: Timed): void {
    this.timed.push(timed)
    this.notice(timed.nextAt())
  }

  notice(at: number): void {
    if (at < this.next) this.next = at
  }

  /** When `tick` is wanted next. */
  get due(): number {
    return this.next
  }

  /** Runs everything that is due by now, in the order of its times. */
  tick(): void {
    const now = this.read()
    while (this.next <= now) {
      let at = Number.POSITIVE_INFINITY
      let first: Timed | undefined
      for (const one of this.timed) {
        const due = one.nextAt()
        if (due < at) {
          at = due
          first = one
        }
      }
      this.next = at
      if (first === undefined || at > now) return
      first.fire(at)
      this.next = Number.NEGATIVE_INFINITY
    }
  }

  /** Calls `act` each interval from now on; calls that were missed are one. */
  every(stepId: number, interval: number, act: (at: number) => void): Disposable {
    const { read } = this
    let next = read() + interval
    this.add({
      stepId,
      nextAt: () => next,
      fire: (at) => {
        next = Math.max(at, read() - interval + 1) + interval
        act(at)
      },
    })
    return { [Symbol.dispose]: () => void (next = Number.POSITIVE_INFINITY) }
  }
}
