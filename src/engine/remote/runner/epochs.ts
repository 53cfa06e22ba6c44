import type { Membership } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { Settings } from '../../app/settings/options.ts'
import { EpochAborted } from '../../runtime/failures/errors.ts'
import { Replays } from '../../runtime/failures/replays.ts'
import { Tally } from '../../runtime/tally.ts'
import { Work } from '../../runtime/tasks/work.ts'
import type { Alarm } from '../../runtime/alarm.ts'
import type { Committer } from './committer.ts'
import { EpochTimes } from './epoch-times.ts'
import { mayPass } from './passing.ts'
import type { RunnerTasks } from './runner-tasks.ts'
import type { Sinks } from './sinks.ts'
import type { Transaction } from './transaction.ts'

/** Records between two looks at the clock and at the event loop. */
const SLICE = 8192

/** What the epochs of a runner are made by. */
export interface EpochsParts {
  readonly settings: Settings
  readonly tasks: RunnerTasks
  readonly sinks: Sinks
  readonly transaction: Transaction
  readonly committer: Committer
  readonly alarm: Alarm
}

/**
 * Works on tasks an epoch at a time: in slices, until it is time to commit, while the commit of the one before is under way.
 * What fails is taken back and worked on again.
 */
export class Epochs {
  private readonly settings: Settings
  private readonly tasks: RunnerTasks
  private readonly sinks: Sinks
  private readonly transaction: Transaction
  private readonly committer: Committer
  private readonly alarm: Alarm
  private readonly times: EpochTimes
  private readonly work = new Work()
  private readonly tally = new Tally()
  private readonly replays = new Replays()
  private membership: Membership | undefined
  private held = false
  /** The running one is to be taken back. */
  private failed = false
  private committing: Promise<void> | undefined
  private refusal: unknown = undefined

  constructor({ settings, tasks, sinks, transaction, committer, alarm }: EpochsParts) {
    this.settings = settings
    this.tasks = tasks
    this.sinks = sinks
    this.transaction = transaction
    this.committer = committer
    this.alarm = alarm
    this.times = new EpochTimes(settings.clock, settings.interval)
  }

  /** The commit that is under way, if one is. */
  get underWay(): Promise<void> | undefined {
    return this.committing
  }

  /** Why nothing more is committed, until all has begun anew. */
  get refused(): unknown {
    return this.refusal
  }

  refuse(error: unknown): void {
    this.refusal ??= error
  }

  /** Records of sources that were processed. */
  get recordsIn(): number {
    return this.work.processed
  }

  /** Counts by name. */
  get counters(): Map<string, number> {
    return this.tally.counts(this.tasks.group?.counters)
  }

  /** All inputs have ended, and all of them is committed. */
  get over(): boolean {
    const settled = this.committing === undefined && this.refusal === undefined
    return this.tasks.group?.ended === true && !this.dirty && settled && this.sinks.idle
  }

  /** Begins with the tasks that there are now, from what is written of them. */
  begin(membership: Membership): void {
    this.membership = membership
    this.build(true)
  }

  /** See `TaskRunner`. */
  async hold(): Promise<boolean> {
    this.held = true
    await this.committing
    const { transaction } = this
    // what has left already is part of a transaction: none stays open
    if (transaction.hasSent && !this.failed && this.refusal === undefined && this.committing === undefined) {
      this.commit()
      await this.committing
    }
    return !transaction.hasSent && this.refusal === undefined
  }

  /** Commits again, as this member; undefined: as it was. */
  release(membership = this.membership): void {
    this.held = false
    if (this.membership?.generation !== membership?.generation) this.tasks.links?.repeat()
    this.membership = membership
    this.alarm.ring()
  }

  /**
   * A slice of work; then it commits, or begins to, if it is time.
   *
   * @returns records that were processed; -1: the epoch is to be replayed
   */
  advance(): number {
    const n = this.attempt()
    this.failed = n < 0
    if (n >= 0 && this.committing === undefined && !this.held) this.commitIfDue(n === 0)
    return n
  }

  /** Takes the epoch back: all begins anew with what is written, unless nothing more is committed. */
  async replay(): Promise<void> {
    await this.alarm.after(this.replays.delay)
    await this.committing
    if (this.refusal !== undefined) return
    await this.transaction.takeBack()
    this.build(false)
    this.failed = false
  }

  /** Until there may be more to do. @param n records that the last slice had */
  async pause(n: number): Promise<void> {
    if (this.tasks.full) {
      await this.committing
      // as long as commits are held, more outputs must not be made
      if (this.held) return this.rest()
    }
    if (n > 0) await breathe()
    else await this.rest()
  }

  /** What has to be committed is. */
  async finish(): Promise<void> {
    await this.committing
    if (this.refusal !== undefined || this.tasks.group === undefined || !this.dirty) return
    this.commit()
    await this.committing
  }

  /** Sinks end what they are at, and what they have is committed. @param all what was committed, too */
  async leaveSinks(all: boolean): Promise<void> {
    let left = false
    const leaving = this.sinks.leave(all).then(() => {
      left = true
      this.alarm.ring()
    })
    while (!left && this.refusal === undefined) {
      if (this.sinks.waiting && this.committing === undefined) this.commit()
      await Promise.race([leaving, this.committing ?? this.alarm.after(5)])
    }
    if (this.refusal !== undefined) await this.sinks.end()
  }

  /**
   * Begins anew with what is there, once its tasks are told again.
   *
   * @returns why
   * @throws what cannot be got over so
   */
  async giveUp(): Promise<DhaaraError> {
    await this.committing
    const error = this.refusal
    const passes = mayPass(error) || this.isOvertaken(error)
    await this.sinks.end()
    this.forget()
    if (!passes) throw error
    this.settings.logger.warn(
      { error: error.message, code: error.code },
      'the epoch is taken back: it was not committed',
    )
    return error
  }

  /** Nothing is left of the tasks; the next transaction begins with a fence. */
  forget(): void {
    this.refusal = undefined
    this.transaction.lost()
    this.drop()
  }

  drop(): void {
    this.tasks.drop()
    this.work.takeBack()
  }

  private attempt(): number {
    const { tasks, sinks } = this
    const { group } = tasks
    if (group === undefined || (this.held && tasks.full) || sinks.full) return 0
    try {
      return this.work.slice(group, SLICE)
    } catch (error) {
      const cause = error instanceof EpochAborted ? error.cause : error
      if (this.isOvertaken(cause)) this.refuse(cause)
      else {
        this.replays.note(cause)
        this.settings.logger.warn({ error: String(cause) }, 'the epoch is taken back and replayed')
      }
      return -1
    }
  }

  /**
   * What it was about to read is gone. One that was asleep may find that before it hears that others have its tasks, who have
   * read it and let it go: so it begins anew once from what is committed.
   */
  private isOvertaken(error: unknown): error is DhaaraError {
    return !this.transaction.followsLoss && error instanceof DhaaraError && error.code === 'DHAARA_KAFKA_OFFSET'
  }

  private get dirty(): boolean {
    return this.transaction.isOpen || this.work.unsealed || this.tasks.haveNews || this.sinks.waiting
  }

  private commitIfDue(caughtUp: boolean): void {
    const { transaction, tasks, times } = this
    const isDue = this.dirty && times.isDue(transaction.isOpen, caughtUp)
    if (isDue || this.sinks.waiting || tasks.group?.pressed) return this.commit()
    transaction.sendFull(tasks.outputs)
    if (transaction.mayOpen && this.dirty && this.settings.clock.now() >= times.openAt)
      transaction.open(this.membership?.group, tasks.outputs)
  }

  private commit(): void {
    this.times.next()
    const committing = this.committer.commit(this.membership as Membership)
    this.work.seal()
    if (this.tasks.group !== undefined) this.tally.seal(this.tasks.group.counters)
    this.committing = committing
      .then((refusal) => {
        if (refusal === undefined) {
          this.work.committed()
          this.tally.committed()
          this.replays.succeeded()
        } else {
          this.refusal = refusal
          this.sinks.refused()
        }
      })
      .finally(() => {
        this.committing = undefined
        this.alarm.ring()
      })
  }

  /** Tasks from what is written. @param whole that is all that was processed */
  private build(whole: boolean): void {
    this.tasks.build(this.committer.epoch, this.replays.careful, whole)
    this.work.takeBack()
    this.tally.beginAnew()
  }

  /** Until somebody rings, or the clock makes something due. */
  private rest(): Promise<void> {
    const { times, transaction } = this
    const now = this.settings.clock.now()
    const waits = this.tasks.group?.tasks.map((task) => task.parts.wall.due) ?? []
    const may = this.dirty && !this.held && this.committing === undefined
    const dueAt = transaction.mayOpen ? times.openAt : times.endAt(transaction.isOpen)
    const commitAt = may ? dueAt : Number.POSITIVE_INFINITY
    return this.alarm.until(Math.max(now + 1, Math.min(now + 100, commitAt, ...waits)))
  }
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
