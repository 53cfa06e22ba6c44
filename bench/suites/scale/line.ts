import type { ThroughputLine } from '../../harness/report.ts'

/** What grows with `x`, and how. */
export interface ScaleLine extends ThroughputLine {
  /** Workers, processes, keys, steps or partitions. */
  readonly x: number
  /** Processors that the whole machine had busy meanwhile, with the broker's and everybody else's work. */
  readonly busyCores?: number
  /** Until the app ran. In no other figure. */
  readonly startMs?: number
}
