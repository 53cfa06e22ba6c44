import { setImmediate as othersWork, setTimeout as sleep } from 'node:timers/promises'
import { LatencyHistogram } from '../../harness/latency-histogram.ts'

export interface Latencies {
  readonly done: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  readonly wrong: number
}

/** What is done when all that is due is asked. Who is asked waits for nothing but the machine meanwhile. */
export type Rest = () => Promise<void>

/** For who shares a thread with those who answer: timers of a loop are due to the millisecond. */
export const yieldingRest: Rest = () => sleep(1)

const never = new Int32Array(new SharedArrayBuffer(4))
/** For who has the thread alone: it sleeps, so that questions are asked when they are due and not up to a timer's millisecond later. */
export const exactRest: Rest = () => {
  Atomics.wait(never, 0, 0, 0.25)
  return othersWork()
}

/**
 * Asks at a steady rate, whatever becomes of the questions before; a latency counts from when its question was due (Tene:
 * "coordinated omission").
 */
export class OpenLoop {
  private readonly latencies = new LatencyHistogram()
  private readonly rate: number
  private readonly total: number
  private readonly rest: Rest
  private readonly over = Promise.withResolvers<void>()
  private began = 0
  private done = 0
  private wrong = 0

  /** @param rate questions a second */
  constructor(rate: number, seconds: number, rest: Rest) {
    this.rate = rate
    this.total = Math.round(rate * seconds)
    this.rest = rest
  }

  /** @param ask asks the next question, whose number is one more than that of the one before; the first is 0 */
  async run(ask: (question: number) => void): Promise<Latencies> {
    this.began = performance.now()
    for (let asked = 0; asked < this.total; ) {
      const due = Math.min(this.total, Math.floor(((performance.now() - this.began) / 1000) * this.rate))
      while (asked < due) ask(asked++)
      // the asker leaves the machine to those who answer; what this makes later counts as theirs
      await this.rest()
    }
    await this.over.promise
    const { latencies, total: done, wrong } = this
    return {
      done,
      p50Ms: latencies.at(50),
      p99Ms: latencies.at(99),
      p999Ms: latencies.at(99.9),
      maxMs: latencies.maxMs,
      wrong,
    }
  }

  /** Once for each question. */
  answered(question: number, right: boolean): void {
    this.latencies.add(performance.now() - this.began - (question * 1000) / this.rate)
    if (!right) this.wrong++
    if (++this.done === this.total) this.over.resolve()
  }
}
