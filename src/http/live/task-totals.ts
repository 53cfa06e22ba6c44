import type { ReadCounts, TaskReport } from '../../engine/metrics/index.ts'

interface StepSum {
  came: number
  out: number
  busyMs: number
}

/**
 * What tasks have done in all: with those that are gone, and with those whose thread, group or instance has begun anew. Sums that
 * fall would be taken for counters that began at 0, and what is left of them for new.
 *
 *     task    report (since)     sum
 *     0_0     100 (10:00)        100
 *     0_0     140 (10:00)        140
 *     0_0       5 (10:07)        145      another thread has it
 *     none                       145      another instance has it
 */
export class TaskTotals {
  /** The last report of each task that was ever here. */
  private readonly last = new Map<string, TaskReport>()
  private readonly goneSteps = new Map<number, StepSum>()
  private readonly goneReads = new Map<string, ReadCounts>()

  /** The newest report of each task, of those that are here. */
  add(reports: readonly TaskReport[]): TaskReport[] {
    const here = new Map<string, TaskReport>()
    for (const report of reports) {
      const id = `${report.sub}_${report.partition}`
      const known = this.last.get(id)
      if (known !== undefined && known.since > report.since) continue
      if (known !== undefined && known.since < report.since) this.fold(known)
      this.last.set(id, report)
      here.set(id, report)
    }
    return [...here.values()]
  }

  /** By step id. */
  steps(): ReadonlyMap<number, Readonly<StepSum>> {
    const sums = new Map(Array.from(this.goneSteps, ([id, sum]) => [id, { ...sum }]))
    for (const { steps } of this.last.values()) addSteps(sums, steps)
    return sums
  }

  /** By store. */
  reads(): ReadonlyMap<string, ReadCounts> {
    const sums = new Map(this.goneReads)
    for (const { reads } of this.last.values()) addReads(sums, reads)
    return sums
  }

  private fold({ steps, reads }: TaskReport): void {
    addSteps(this.goneSteps, steps)
    addReads(this.goneReads, reads)
  }
}

function addSteps(sums: Map<number, StepSum>, steps: TaskReport['steps']): void {
  for (const { id, came, out, busyMs } of steps) {
    const sum = sums.get(id) ?? { came: 0, out: 0, busyMs: 0 }
    sums.set(id, { came: sum.came + came, out: sum.out + out, busyMs: sum.busyMs + busyMs })
  }
}

function addReads(sums: Map<string, ReadCounts>, reads: TaskReport['reads']): void {
  for (const [store, { lookups, misses }] of Object.entries(reads)) {
    const sum = sums.get(store) ?? { lookups: 0, misses: 0 }
    sums.set(store, { lookups: sum.lookups + lookups, misses: sum.misses + misses })
  }
}
