import type { Clock } from '../../../dsl/time/index.ts'

/** So long before its end an epoch's transaction is opened, ms: several times what the coordinator takes for it. */
const openAhead = 25
/** So long, ms, after it was opened it may be ended, if nothing is left to be read: what the coordinator takes for opening it. */
const opening = 5

/** When an epoch's transaction is opened, and when the epoch ends. */
export class EpochTimes {
  private readonly clock: Pick<Clock, 'now'>
  private readonly interval: number
  private begunAt: number

  /** @param interval ms */
  constructor(clock: Pick<Clock, 'now'>, interval: number) {
    this.clock = clock
    this.interval = interval
    this.begunAt = clock.now()
  }

  get openAt(): number {
    return this.begunAt + this.interval - Math.min(openAhead, this.interval / 4)
  }

  /** @param opened its transaction is: it need not wait for more then, where there is none */
  endAt(opened: boolean): number {
    return opened ? this.openAt + Math.min(opening, this.interval / 20) : this.begunAt + this.interval
  }

  isDue(opened: boolean, caughtUp: boolean): boolean {
    return this.clock.now() >= this.endAt(opened && caughtUp)
  }

  /** The next one begins: one an interval, however long it takes to end them; unless one began late, or ended early. */
  next(): void {
    const now = this.clock.now()
    const late = now - this.begunAt - this.interval
    this.begunAt = late >= 0 && late < this.interval ? now - late : now
  }
}
