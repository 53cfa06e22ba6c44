import * as hdr from 'hdr-histogram-js'

/** LatencyHistogram in an HDR histogram: to the microsecond, up to ten minutes, three digits of each. */
export class LatencyHistogram {
  // The larger unit would round what is below a millisecond to nothing.
  readonly #micros = hdr.build({ highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: 3 })

  add(ms: number): void {
    this.#micros.recordValue(Math.max(1, Math.round(ms * 1000)))
  }

  get count(): number {
    return this.#micros.totalCount
  }

  /** Milliseconds that so many percent do not exceed. */
  at(percentile: number): number {
    return this.#micros.getValueAtPercentile(percentile) / 1000
  }

  get maxMs(): number {
    return this.#micros.maxValue / 1000
  }
}
