import type { TaskClock, Timed } from '../../time/clock.ts'
import type { WallClock } from '../../time/wall.ts'

/** `every(d, {clock: 'wall'})`: shows what has changed at multiples of d of the wall clock, and at the end of the input. */
export class WallTicks implements Timed {
  readonly stepId: number
  private readonly interval: number
  private readonly wall: WallClock
  private readonly show: () => void
  private at = Number.POSITIVE_INFINITY

  constructor(stepId: number, interval: number, wall: WallClock, event: TaskClock, show: () => void) {
    this.stepId = stepId
    this.interval = interval
    this.wall = wall
    this.show = show
    wall.add(this)
    event.ending.push(() => this.fire())
  }

  /** Something has changed. */
  arm(): void {
    if (this.at !== Number.POSITIVE_INFINITY) return
    this.at = (Math.floor(this.wall.now() / this.interval) + 1) * this.interval
    this.wall.notice(this.at)
  }

  nextAt(): number {
    return this.at
  }

  fire(): void {
    this.at = Number.POSITIVE_INFINITY
    this.show()
  }
}
