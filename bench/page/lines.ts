import type { ProfileLine } from '../profile.ts'
import type { ThroughputLine } from '../harness/report.ts'
import type { NexmarkLine } from '../suites/nexmark/measure.ts'
import type { ScaleLine } from '../suites/scale/line.ts'
import type { SkewLine } from '../suites/skew/index.ts'

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

export interface MicroLine {
  readonly suite: 'micro'
  readonly case: string
  readonly subject: string
  readonly recordsPerSecond: number
  readonly spread: number
  readonly against?: string
  readonly ratio?: number
}

/** What questions cost the job that they are asked of. */
export interface QueryLine {
  readonly suite: 'queries'
  readonly case: string
  readonly variant: string
  readonly recordsPerSecond: number
  readonly recordsPerCpuSecond: number
  readonly p50Ms?: number
  readonly p99Ms?: number
  /** Throughput of the job beside the questions, against without. */
  readonly jobRatio?: number
  readonly against?: string
  readonly ratio?: number
  readonly correct: boolean
}

export interface Results {
  readonly throughput: readonly ThroughputLine[]
  readonly nexmark: readonly NexmarkLine[]
  readonly latency: readonly LatencyLine[]
  readonly kafka: readonly ThroughputLine[]
  readonly queries: readonly QueryLine[]
  readonly skew: readonly SkewLine[]
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
    kafka: of('kafka'),
    queries: of('queries'),
    skew: of('skew'),
    scale: of('scale'),
    micro: of('micro'),
    profiles: of('profile'),
  }
}
