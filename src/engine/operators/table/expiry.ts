import type { ExpiringTable } from '../../../state/stores/index.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'

/**
 * Deletes rows whose time to live is over, in event time or by the wall clock: a row that was written last at t lives in
 * [t, t + ttl). The end of all input is no time, and nothing expires by it.
 */
export class Expiry implements Timed {
  readonly stepId: number
  private readonly table: ExpiringTable
  private readonly clock: TaskClock
  private readonly gone: (key: unknown, row: unknown, at: number) => void

  /** @param gone told what was deleted, and when */
  constructor(
    stepId: number,
    table: ExpiringTable,
    clock: TaskClock,
    gone: (key: unknown, row: unknown, at: number) => void,
  ) {
    this.stepId = stepId
    this.table = table
    this.clock = clock
    this.gone = gone
  }

  nextAt(): number {
    return this.clock.ended ? Number.POSITIVE_INFINITY : this.table.leases.nextAt()
  }

  fire(at: number): void {
    if (this.clock.ended) return
    for (const { entry, until } of this.table.due(at)) {
      const row = entry.value
      if (row === undefined) continue
      this.table.set(entry, undefined, until)
      this.gone(entry.key, row, until)
    }
  }
}
