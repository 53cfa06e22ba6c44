/** Where the time of a record goes on its way through two repartitions. */

/** Epoch milliseconds with fractions, by the clock that all threads share. */
export const clock = (): number => performance.timeOrigin + performance.now()

/** What a record carries out: when it was where. */
export interface Trace {
  /** When it was to be sent, whether or not its sender was in time. */
  readonly due: number
  readonly sent: number
  readonly parsed: number
  /** Behind the first repartition. */
  readonly between: number
  /** Behind the second one. */
  readonly arrived: number
}

export interface Percentiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** In the order of a record's way, then the sums that targets are set for. */
export const measures = {
  /** due → sent: the load's own delay. */
  load: (trace: Trace) => trace.sent - trace.due,
  /** sent → parsed: appended to the log, its worker woken, read. */
  source: (trace: Trace) => trace.parsed - trace.sent,
  first: (trace: Trace) => trace.between - trace.parsed,
  second: (trace: Trace) => trace.arrived - trace.between,
  /** arrived → committed: the rest of the interval, sealed, written, read. */
  commit: (trace: Trace, committed: number) => committed - trace.arrived,
  arrival: (trace: Trace) => trace.arrived - trace.parsed,
  committed: (trace: Trace, committed: number) => committed - trace.parsed,
  total: (trace: Trace, committed: number) => committed - trace.due,
} as const

export type Measure = keyof typeof measures

/** Distributions of all parts. */
export class Traces {
  private readonly values = Object.fromEntries(Object.keys(measures).map((name) => [name, []])) as unknown as Record<
    Measure,
    number[]
  >

  add(trace: Trace, committed: number): void {
    for (const [name, of] of Object.entries(measures)) this.values[name as Measure].push(of(trace, committed))
  }

  get count(): number {
    return this.values.total.length
  }

  get percentiles(): Record<Measure, Percentiles> {
    const all = Object.entries(this.values).map(([name, values]) => [name, percentiles(values)])
    return Object.fromEntries(all) as Record<Measure, Percentiles>
  }
}

/** Rounded to tenths. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number): number =>
    Number((sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1))
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) }
}
