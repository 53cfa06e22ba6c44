import type { Clock } from '../../dsl/time/index.ts'

/** Lets one loop rest. Rung before it rests, it does not let it. */
export class Alarm {
  private readonly clock: Clock
  private rung = false
  private wakeUp: () => void = () => {}

  constructor(clock: Clock) {
    this.clock = clock
  }

  ring(): void {
    this.rung = true
    this.wakeUp()
  }

  /** Until it is rung, or that time has come (epoch ms). */
  until(due: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(due, () => this.ring())
      this.wakeUp = () => {
        timer[Symbol.dispose]()
        this.wakeUp = () => {}
        this.rung = false
        resolve()
      }
      if (this.rung) this.wakeUp()
    })
  }

  /** Whoever rings. */
  after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.setTimer(this.clock.now() + ms, resolve))
  }
}
