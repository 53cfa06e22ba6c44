import type { Membership, RemoteReader } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { EngineReport } from '../../app/engine.ts'
import { Policies } from '../../app/settings/policies.ts'
import { answerLatest, Indexes, type RawQuery, type RawRows, type RawValues } from '../../query/index.ts'
import { Alarm } from '../../runtime/alarm.ts'
import { Committer } from './committer.ts'
import { Epochs } from './epochs.ts'
import type { Offsets } from '../inputs.ts'
import { LocalRows } from '../state/local-state.ts'
import type { RunnerParts } from './runner-parts.ts'
import { RunnerTasks } from './runner-tasks.ts'
import { Sinks } from './sinks.ts'
import type { Assignment, TaskRunner } from './task-runner.ts'
import { Transaction } from './transaction.ts'
import type { WatchedStores } from '../queries/written-rows.ts'

/** A transaction that is open for longer is aborted by the broker, so that a dead instance does not hold its readers up. */
const TRANSACTION_TIMEOUT = 15_000

/**
 * Runs tasks in this thread. They commit together, in one transaction an epoch:
 *
 *     fence ─▶ assign ─▶ run ─▶ (seal ─▶ send ─▶ commit ─▶ write) … ─▶ assign …
 *                         │
 *                         └─▶ refused: a commit failed, or its outcome is not known; nothing is left of the tasks
 */
export class Runner implements TaskRunner {
  private readonly parts: RunnerParts
  private readonly policies: Policies
  private readonly reader: RemoteReader
  private readonly tasks: RunnerTasks
  private readonly sinks: Sinks
  private readonly transaction: Transaction
  private readonly committer: Committer
  private readonly epochs: Epochs
  private readonly alarm: Alarm
  /** What others want of it, one after the other between two slices of work. */
  private readonly requests: (() => Promise<void>)[] = []
  private sinkFailure: unknown = undefined
  private saidEnded = false
  private stopping = false
  private abandoned = false
  private readonly running: Promise<void>

  constructor(parts: RunnerParts) {
    const { plan, settings, log, transactionalId } = parts
    this.parts = parts
    this.alarm = new Alarm(settings.clock)
    const wake = () => this.alarm.ring()
    const local = new LocalRows(parts.state, new Indexes(plan, parts.state, parts.ids))
    const exactlyOnce = settings.guarantee === 'exactly-once'
    this.reader = log.reader({ onData: wake })
    const writer = log.writer(exactlyOnce ? { transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT } : {})
    this.policies = new Policies(settings, () => this.tasks.outputs)
    this.tasks = new RunnerTasks(parts, local, this.reader, () => this.policies, wake)
    this.sinks = new Sinks({
      plan,
      settings,
      reader: local.backend,
      holds: () => parts.lease.holds,
      wake,
      failed: (error) => {
        this.sinkFailure ??= error
        wake()
      },
    })
    const { tasks, sinks, alarm } = this
    const transaction = new Transaction(writer, exactlyOnce)
    const committer = new Committer(parts, writer, transaction, local, tasks, sinks)
    this.transaction = transaction
    this.committer = committer
    this.epochs = new Epochs({ settings, tasks, sinks, transaction, committer, alarm })
    this.running = this.loop()
      .finally(() => this.endOpen())
      .catch((error: unknown) => parts.events.failed(error))
  }

  fence(): Promise<void> {
    return this.transaction.fence()
  }

  assign(assignment: Assignment): Promise<boolean> {
    const done = Promise.withResolvers<boolean>()
    this.request(async () => {
      await this.epochs.finish()
      await this.epochs.leaveSinks(false)
      // a commit that was refused may have been told to nobody yet: these tasks were meant for who was fenced
      if (this.epochs.refused !== undefined || (assignment.tasks.length > 0 && !this.transaction.isFenced)) {
        done.resolve(false)
        return
      }
      try {
        this.take(assignment)
        done.resolve(true)
      } catch (error) {
        await this.sinks.end()
        this.epochs.drop()
        done.reject(error)
      }
    })
    return done.promise
  }

  hold(): Promise<boolean> {
    return this.epochs.hold()
  }

  release(membership: Membership): void {
    this.epochs.release(membership)
  }

  async lose(): Promise<void> {
    this.epochs.refuse(new DhaaraError('DHAARA_KAFKA_FENCED', 'The group has gone on without this instance'))
    const done = Promise.withResolvers<void>()
    this.request(async () => {
      await this.epochs.underWay
      await this.sinks.end()
      this.epochs.forget()
      done.resolve()
    })
    await Promise.race([done.promise, this.running])
  }

  async settle(): Promise<void> {
    await this.epochs.underWay
  }

  watch(wanted: WatchedStores): Promise<void> {
    return this.committer.watch(wanted, () => this.epochs.underWay)
  }

  get writes(): Int32Array {
    return this.committer.writes
  }

  bound(ends: Offsets): void {
    this.tasks.bound(ends)
    this.alarm.ring()
  }

  fill(topics: readonly string[]): void {
    this.tasks.fill(topics)
    this.alarm.ring()
  }

  async stop(): Promise<void> {
    this.epochs.release()
    await this.end()
    await this.reader.close()
    this.parts.onStop?.()
  }

  async abandon(): Promise<void> {
    this.abandoned = true
    await this.end()
    this.parts.onStop?.()
  }

  positionOf(topic: string, partition: number): number | undefined {
    return this.tasks.positionOf(topic, partition)
  }

  async ask(sub: number, partition: number, store: string, query: RawQuery): Promise<RawRows | RawValues> {
    if (this.tasks.group === undefined) throw new DhaaraError('DHAARA_RESTORING', 'the tasks are not ready; ask again')
    return answerLatest(this.tasks.group, sub, partition, store, query)
  }

  report(): EngineReport {
    const { group, outputs } = this.tasks
    const { epoch, recordsOut } = this.committer
    return {
      recordsIn: this.epochs.recordsIn,
      recordsOut: recordsOut + outputs.written,
      counters: this.epochs.counters,
      epochs: epoch - 1,
      watermark: group?.watermark ?? Number.POSITIVE_INFINITY,
      tasks: group?.report() ?? [],
      errors: this.policies.errors.all(),
    }
  }

  private request(act: () => Promise<void>): void {
    this.requests.push(act)
    this.alarm.ring()
  }

  private async loop(): Promise<void> {
    const { epochs, requests } = this
    while (!this.stopping) {
      const request = requests.shift()
      if (request !== undefined) await request()
      if (epochs.refused !== undefined) this.parts.events.refused(await epochs.giveUp())
      if (this.sinkFailure !== undefined) throw this.sinkFailure
      const n = epochs.advance()
      if (n < 0) await epochs.replay()
      else {
        this.tellEnd()
        await epochs.pause(n)
      }
    }
    if (this.abandoned) await this.sinks.end()
    else {
      await epochs.finish()
      await epochs.leaveSinks(true)
    }
    // What was not committed is done again by whoever has the tasks next.
    if (epochs.refused !== undefined)
      this.parts.settings.logger.warn({ error: String(epochs.refused) }, 'the last epoch is lost')
    for (const request of requests.splice(0)) void request()
  }

  private async endOpen(): Promise<void> {
    await this.epochs.underWay
    await this.transaction.end(this.alarm)
  }

  private take(assignment: Assignment): void {
    const { tasks } = this
    tasks.take(assignment)
    this.saidEnded = false
    this.epochs.begin(assignment.membership)
    this.sinks.begin(tasks.ids, assignment.topics.partitions, (name, sub) => tasks.rows.idOf(name, sub))
  }

  private tellEnd(): void {
    const { over } = this.epochs
    if (over === this.saidEnded) return
    this.saidEnded = over
    this.parts.events.ended(over ? this.tasks.ids : [])
  }

  private async end(): Promise<void> {
    this.stopping = true
    this.alarm.ring()
    await this.running
    this.tasks.group?.close()
  }
}
