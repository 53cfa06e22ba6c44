import type { EngineReport } from '../engine.ts'
import type { EpochStats } from './worker-protocol.ts'

/** What all workers have done in the epochs that were written. */
export class Totals {
  private readonly counters = new Map<string, number>()
  private readonly watermarks: number[]
  private recordsIn = 0
  private recordsOut = 0

  constructor(workers: number) {
    this.watermarks = new Array<number>(workers).fill(Number.NEGATIVE_INFINITY)
  }

  add(worker: number, stats: EpochStats): void {
    this.recordsIn += stats.recordsIn
    this.recordsOut += stats.recordsOut
    this.watermarks[worker] = stats.watermark
    for (const [name, n] of stats.counters) this.counters.set(name, (this.counters.get(name) ?? 0) + n)
  }

  report(epochs: number): EngineReport {
    const { recordsIn, recordsOut, counters } = this
    return { recordsIn, recordsOut, counters, epochs, watermark: Math.min(...this.watermarks) }
  }
}
