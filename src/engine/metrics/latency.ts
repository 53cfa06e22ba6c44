import type { Appended } from '../../connectors/broker/log.ts'
import { Histogram } from './histogram.ts'

/** Arrivals of a partition that wait for their commit; those that come closer together than this (ms) are one. */
interface Arrivals {
  /** Offset after the last record. */
  readonly ends: number[]
  readonly times: number[]
  readonly counts: number[]
}

const together = 1
/** Beyond that many an input is so far behind that the lag tells more than the latency. */
const mostWaiting = 1 << 16

/**
 * End-to-end latency: from the moment when records are in the log of an input to the commit that has all that they caused in
 * their task. Counted by appends and commits, whatever the number of records. What was there when the app started is left out.
 */
export class Latency {
  /** Since the start. */
  readonly total = new Histogram()
  /** Since somebody took it last. */
  private recent = new Histogram()
  private readonly inputs = new Map<string, Arrivals>()

  /** @param inputs topics that are read from outside */
  constructor(inputs: Iterable<readonly [topic: string, partitions: number]>) {
    for (const [topic, partitions] of inputs)
      for (let p = 0; p < partitions; p++) this.inputs.set(`${topic}/${p}`, { ends: [], times: [], counts: [] })
  }

  appended(all: readonly Appended[]): void {
    const now = performance.now()
    for (const { topic, partition, baseOffset, endOffset } of all) {
      const arrivals = this.inputs.get(`${topic}/${partition}`)
      if (arrivals === undefined) continue
      const { ends, times, counts } = arrivals
      const last = ends.length - 1
      if (last >= 0 && (now - (times[last] as number) < together || last >= mostWaiting)) {
        ends[last] = endOffset
        counts[last] = (counts[last] as number) + endOffset - baseOffset
      } else {
        ends.push(endOffset)
        times.push(now)
        counts.push(endOffset - baseOffset)
      }
    }
  }

  /** @param position offset of the first record of the partition that is not committed */
  committed(topic: string, partition: number, position: number): void {
    const arrivals = this.inputs.get(`${topic}/${partition}`)
    if (arrivals === undefined) return
    const { ends, times, counts } = arrivals
    let done = 0
    while (done < ends.length && (ends[done] as number) <= position) done++
    // of a large append a part: what waits longest must not wait to be counted until all of it is through
    const part = done < ends.length ? position - ((ends[done] as number) - (counts[done] as number)) : 0
    if (done === 0 && part <= 0) return
    const now = performance.now()
    for (let i = 0; i < done; i++) this.add(now - (times[i] as number), counts[i] as number)
    if (part > 0) {
      this.add(now - (times[done] as number), part)
      counts[done] = (counts[done] as number) - part
    }
    if (done === 0) return
    ends.splice(0, done)
    times.splice(0, done)
    counts.splice(0, done)
  }

  private add(ms: number, records: number): void {
    this.total.add(ms, records)
    this.recent.add(ms, records)
  }

  /** What came since this was asked last. */
  take(): Histogram {
    const { recent } = this
    this.recent = new Histogram()
    return recent
  }
}
