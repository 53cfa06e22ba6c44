import {
  Histogram,
  type MetricObjectWithValues,
  type MetricType,
  type MetricValueWithName,
  type Registry,
} from 'prom-client'
import type { Served } from './served.ts'

/** Upper ends of buckets, ms: each doubling from 1/16 ms to a minute. Those of the engine's own histogram fall on them. */
const ends = Array.from({ length: 21 }, (_, i) => 2 ** (i - 4))

const name = 'dhaara_latency_seconds'
const help = 'From the arrival of records in an input to the commit of what they caused in their task'

/** The engine's histogram of end-to-end latency, told as one of Prometheus: it has counted already, so nothing is observed here. */
export class LatencyHistogram extends Histogram {
  readonly #app: Served

  constructor(app: Served, registers: Registry[]) {
    super({
      name,
      help,
      buckets: ends.map((ms) => ms / 1000),
      registers,
    })
    this.#app = app
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const values: MetricValueWithName<string>[] = []
    const total = this.#total()
    if (total !== undefined) {
      for (const ms of ends)
        values.push({ metricName: `${name}_bucket`, labels: { le: ms / 1000 }, value: total.atMost(ms) })
      values.push({ metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: total.count })
      values.push({ metricName: `${name}_sum`, labels: {}, value: total.sum / 1000 })
      values.push({ metricName: `${name}_count`, labels: {}, value: total.count })
    }
    // the types have an enum for it, the module has not
    const type = 'histogram' as unknown as MetricType
    return { name, help, type, aggregator: 'sum', values, collect: () => {} }
  }

  /** What the registry asks histograms for where it writes text. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    return this.get()
  }

  /** undefined: the app is starting or over, or does not see arrivals. */
  #total() {
    try {
      return this.#app.meters().latency?.total
    } catch {
      return undefined
    }
  }
}
