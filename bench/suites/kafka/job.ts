import type { Outcome } from '../../harness/run.ts'

/** What one run, in a process of its own, is to do. */
export interface KafkaJob {
  readonly case: string
  readonly variant: string
  readonly brokers: readonly string[]
  /** Has `warmUp` + `records` orders in `partitions` partitions, keyed by customer as text. */
  readonly input: string
  /** Empty, with as many partitions. */
  readonly output: string
  readonly partitions: number
  readonly warmUp: number
  readonly records: number
  /** A directory for state. */
  readonly dir: string
  /** Names groups, changelogs and transactions. */
  readonly app: string
}

/** What a run says of itself; what lies in the output topic is counted by others. */
export interface Figures {
  /** Timed records. */
  readonly records: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakRssMb: number
  /** Of runs without an output topic. */
  readonly outcome?: Outcome
}

/** Wall and CPU time of this process from the call on. */
export function watch(): (records: number) => Figures {
  const cpu = process.cpuUsage()
  const began = performance.now()
  return (records) => {
    const { user, system } = process.cpuUsage(cpu)
    return {
      records,
      seconds: (performance.now() - began) / 1000,
      cpuSeconds: (user + system) / 1e6,
      peakRssMb: process.resourceUsage().maxRSS / 1024,
    }
  }
}

/** A module in `subjects` exports this as `run`. */
export type RunJob = (job: KafkaJob) => Promise<Figures>
