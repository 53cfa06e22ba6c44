import type { Measured } from './run.ts'

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('There is no median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** (max - min) / median */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values)
}

/** Several runs of one subject, each figure the median of its own. */
export interface Summary {
  readonly records: number
  readonly seconds: number
  readonly recordsPerSecond: number
  readonly cpuSeconds: number
  readonly recordsPerCpuSecond: number
  /** Rows that came out: of cases that count matches, matches. */
  readonly rowsPerCpuSecond?: number
  readonly peakRssMb: number
  /** Of the figure that the ratio is made of. */
  readonly spread: number
  readonly runs: number
  /** The same figure of each run. */
  readonly rates: readonly number[]
}

/** Sums up the runs of one subject. */
export function summarise(runs: readonly Measured[], ratioOf: 'cpu' | 'wall'): Summary {
  const perSecond = runs.map((run) => run.records / run.seconds)
  const perCpuSecond = runs.map((run) => run.records / run.cpuSeconds)
  const rates = ratioOf === 'cpu' ? perCpuSecond : perSecond
  return {
    records: runs[0]!.records,
    seconds: median(runs.map((run) => run.seconds)),
    recordsPerSecond: median(perSecond),
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
    recordsPerCpuSecond: median(perCpuSecond),
    ...(runs.every((run) => run.timedRows !== undefined)
      ? { rowsPerCpuSecond: median(runs.map((run) => (run.timedRows as number) / run.cpuSeconds)) }
      : {}),
    peakRssMb: median(runs.map((run) => run.peakRssMb)),
    spread: spread(rates),
    runs: runs.length,
    rates,
  }
}

/** Above 1 where the subject is the faster one. */
export function ratioBetween(subject: Summary, yardstick: Summary, ratioOf: 'cpu' | 'wall'): number {
  return ratioOf === 'cpu'
    ? subject.recordsPerCpuSecond / yardstick.recordsPerCpuSecond
    : subject.recordsPerSecond / yardstick.recordsPerSecond
}
