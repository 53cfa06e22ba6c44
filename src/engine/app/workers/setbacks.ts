import { DhaaraError } from '../../../errors/index.ts'
import { sendError } from '../../../errors/sent-error.ts'
import type { ErrorAction } from '../../runtime/host.ts'
import { retryDelays } from '../../runtime/failures/replays.ts'
import type { SourceRecord } from '../../runtime/record.ts'
import type { RefusedRecord } from './worker-protocol.ts'
import type { WorkerProgram } from './workers.ts'

/** A worker that dies so often without having got further is not replaced any more. */
export const MOST_DEATHS = 5

/** What has gone wrong since workers last got further, and whether they are to try again. */
export class Setbacks {
  /** A user function has failed: from now on records are done one by one, so that its record is known. */
  careful = false
  /** Records over which a worker stood still: they are left out. */
  readonly refused: RefusedRecord[] = []
  /** By worker. */
  private readonly deaths: number[]
  private retries = 0

  constructor(workers: number) {
    this.deaths = new Array<number>(workers).fill(0)
  }

  /** An epoch is written. @param further by worker: it has processed something */
  written(further: readonly boolean[]): void {
    for (const [worker, has] of further.entries()) if (has) this.deaths[worker] = 0
    this.retries = 0
  }

  /** @returns whether another one is to take its place */
  died(worker: number): boolean {
    this.deaths[worker] = (this.deaths[worker] as number) + 1
    return this.deaths[worker] <= MOST_DEATHS
  }

  /** @returns how all go on from the last checkpoint; undefined: they do not */
  failed(kind: 'careful' | 'retry' | 'fail'): { readonly why: string; readonly delay: number } | undefined {
    if (kind === 'careful' && !this.careful) {
      this.careful = true
      return { why: 'a user function failed', delay: 0 }
    }
    if (kind !== 'retry' || this.retries >= retryDelays.length) return undefined
    return { why: 'a policy asked for another try', delay: retryDelays[this.retries++] as number }
  }

  /**
   * A function does not come back.
   *
   * @param source undefined: nobody knows which record it was called for
   * @returns whether another worker is to go on in its place, without the record where that is what to do
   */
  stuck(worker: number, action: ErrorAction, source: SourceRecord | undefined, error: DhaaraError): boolean {
    if (action === 'retry') return true
    // what was to be left out already comes from a source that cannot leave out a record
    if (action === 'fail' || source === undefined || this.refused.some((one) => sameRecord(one, source))) return false
    this.refused.push({ ...source, deadLetter: action === 'deadLetter', error: sendError(error) })
    // without that record it gets further
    this.deaths[worker] = (this.deaths[worker] as number) - 1
    return true
  }
}

export function diedTooOften(worker: number, when: string, cause: unknown): DhaaraError {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  return new DhaaraError('DHAARA_WORKER_DIED', `worker ${worker} died ${when}; at last: ${text}`, { cause })
}

/** A worker has made another plan. */
export function unequal(worker: number, hash: string, program: WorkerProgram): DhaaraError {
  const what = `worker ${worker} made the plan ${hash.slice(0, 12)} from ${program.url.href}, and the app made ${program.hash.slice(0, 12)}`
  return new DhaaraError(
    'DHAARA_PLAN_UNEQUAL',
    `${what}; a topology must not depend on clock, environment or random numbers: give what varies as settings`,
  )
}

const sameRecord = (a: SourceRecord, b: SourceRecord): boolean =>
  a.topic === b.topic && a.partition === b.partition && a.offset === b.offset
