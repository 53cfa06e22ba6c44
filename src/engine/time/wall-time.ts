import { TaskClock } from './clock.ts'
import type { Timed } from './clock.ts'
import type { WallClock } from './wall.ts'

/**
 * The time of windows over the wall clock: a clock like that of event time, whose W is the last millisecond that is over.
 * It never goes back, whatever the machine's clock does, and is part of the checkpoint: what fell due while the job was
 * down is due at once.
 */
export class WallTime implements Timed {
  readonly stepId = -1
  readonly clock: TaskClock
  private readonly wall: WallClock
  private started = false

  /**
   * @param w where an earlier run was
   * @param event what ends when all input has ended: so do these windows, before
   */
  constructor(
    wall: WallClock,
    event: TaskClock,
    w: number,
    entering: () => void,
    failed: (error: unknown, stepId: number) => void,
  ) {
    this.wall = wall
    this.clock = new TaskClock(entering, failed)
    this.clock.w = w
    this.clock.target = w
    event.ending.push(() => this.clock.advance(Number.POSITIVE_INFINITY))
  }

  /** A record comes: what fell due before it comes first. @returns its time */
  enter(): number {
    const now = Math.max(this.wall.now(), this.clock.w + 1)
    if (now - 1 > this.clock.w) this.clock.advance(now - 1)
    return now
  }

  /** After a record: windows that it opened have to be closed. */
  leave(): void {
    this.wall.notice(this.nextAt())
  }

  /** Who acts on it. */
  add(timed: Timed): void {
    this.clock.add(timed)
    if (this.started) this.leave()
    else this.wall.add(this)
    this.started = true
  }

  nextAt(): number {
    return this.clock.ended ? Number.POSITIVE_INFINITY : this.clock.next + 1
  }

  fire(): void {
    this.clock.advance(this.wall.now() - 1)
  }
}
