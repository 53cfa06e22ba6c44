import type { ProfileLine } from '../profile.ts'
import type { ThroughputLine } from '../harness/report.ts'
import type { NexmarkLine } from '../suites/nexmark/measure.ts'

/** Latency at a load: one line a broker, guarantee and share of the capacity. */
export interface LatencyLine {
  readonly suite: 'latency'
  readonly case: string
  readonly variant: string
  readonly offeredPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** What grows with `x`, and how. */
export interface ScaleLine extends ThroughputLine {
  /** Workers, keys, steps or partitions. */
  readonly x: number
}

export interface MicroLine {
  readonly suite: 'micro'
  readonly case: string
  readonly subject: string
  readonly recordsPerSecond: number
  readonly spread: number
  readonly against?: string
  readonly ratio?: number
}

export interface Results {
  readonly throughput: readonly ThroughputLine[]
  readonly nexmark: readonly NexmarkLine[]
  readonly latency: readonly LatencyLine[]
  readonly scale: readonly ScaleLine[]
  readonly micro: readonly MicroLine[]
  readonly profiles: readonly ProfileLine[]
}

/** Sorts a report's lines by what they are. */
export function resultsOf(lines: readonly { readonly suite: string }[]): Results {
  const of = <T>(...suites: string[]): T[] => lines.filter(({ suite }) => suites.includes(suite)) as unknown as T[]
  return {
    throughput: of<ThroughputLine>('ceilings', 'peers', 'cep').filter(({ rates }) => rates !== undefined),
    nexmark: of('nexmark'),
    latency: of<LatencyLine>('latency').filter(({ p50Ms }) => p50Ms !== undefined),
    scale: of('scale'),
    micro: of('micro'),
    profiles: of('profile'),
  }
}
