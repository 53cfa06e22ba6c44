import { setTimeout as sleep } from 'node:timers/promises'
import { LatencyHistogram } from '../../harness/latency-histogram.ts'

export interface Latencies {
  readonly done: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  readonly wrong: number
}

/**
 * Asks at a steady rate, whatever becomes of the questions before; a latency counts from when its question was due (Tene:
 * "coordinated omission").
 *
 * @param ask gives whether the answer was right
 */
export async function askSteadily(rate: number, seconds: number, ask: () => Promise<boolean>): Promise<Latencies> {
  const latencies = new LatencyHistogram()
  const total = Math.round(rate * seconds)
  const under = new Set<Promise<void>>()
  let wrong = 0
  const began = performance.now()
  for (let asked = 0; asked < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * rate))
    for (; asked < due; asked++) {
      const dueAt = began + (asked * 1000) / rate
      const asking = ask().then((right) => {
        if (!right) wrong++
        latencies.add(performance.now() - dueAt)
        under.delete(asking)
      })
      under.add(asking)
    }
    // the asker leaves the machine to those who answer; what this makes later counts as theirs
    await sleep(1)
  }
  await Promise.all(under)
  return {
    done: total,
    p50Ms: latencies.at(50),
    p99Ms: latencies.at(99),
    p999Ms: latencies.at(99.9),
    maxMs: latencies.maxMs,
    wrong,
  }
}
