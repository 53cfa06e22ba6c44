import type { PhysicalPlan, Step } from '../../plan/physical.ts'
import type { Counters } from '../counters.ts'
import { EpochAborted, userError } from './errors.ts'
import type { Host } from '../host.ts'
import type { CurrentRecord } from '../record.ts'

/** What becomes of user code that threw at a step: its policy says, and some of that takes the epoch back. */
export class Failures {
  private readonly plan: PhysicalPlan
  private readonly host: Host
  private readonly counters: Counters

  constructor(plan: PhysicalPlan, host: Host, counters: Counters) {
    this.plan = plan
    this.host = host
    this.counters = counters
  }

  /**
   * @param key of what is lost where no record is at hand
   * @throws EpochAborted
   */
  meet(error: unknown, at: number, rec: CurrentRecord, key?: unknown, value?: unknown): void {
    if (error instanceof EpochAborted) throw error
    const step = this.plan.steps[at]
    const wrapped = userError(error, step?.name ?? 'unknown', rec)
    const action = this.host.onUserError(wrapped, rec)
    if (action === 'fail') throw new EpochAborted(wrapped)
    if (action === 'retry') throw new EpochAborted(new RetryEpoch(wrapped))
    if (step !== undefined && needsCare(step) && !this.host.options.careful)
      throw new EpochAborted(new CarefulReplay(wrapped))
    if (action === 'deadLetter') {
      rec.lost = { key, value }
      this.host.deadLetter(wrapped, rec)
      rec.lost = undefined
    }
    this.counters.of(`${step?.name ?? 'unknown'}.failed`).n++
  }
}

/** May a step whose user code throws have changed something half-way? An aggregate, or some of a record's windows. */
function needsCare({ op }: Step): boolean {
  const node = op.kind === 'partial' ? op.node : op
  if (!('spec' in node)) return false
  const windows = node.kind === 'aggregate' ? node.windows : undefined
  return !node.spec.pure || (windows !== undefined && severalAtOnce.has(windows.kind))
}

/** A record is in several of them. */
const severalAtOnce = new Set<string>(['hopping', 'cumulative', 'sliding'])

/** An adder may have changed its aggregate half-way: the epoch is replayed in the mode that copies before each call. */
export class CarefulReplay extends Error {
  override readonly cause: unknown
  constructor(cause: unknown) {
    super('replay with copies')
    this.cause = cause
  }
}

/** A policy asked for the epoch to be tried again. */
export class RetryEpoch extends Error {
  override readonly cause: unknown
  constructor(cause: unknown) {
    super('try the epoch again')
    this.cause = cause
  }
}
