import type { Membership, RemoteReader, RemoteWriter } from '../../../connectors/broker/remote.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { WriteBatch } from '../../../state/backend.ts'
import type { EngineReport } from '../../app/engine.ts'
import type { Settings } from '../../app/settings/options.ts'
import { Policies, retryDelays } from '../../app/settings/policies.ts'
import { answerLatest, Indexes, type RawQuery, type RawRows, type RawValues } from '../../query/index.ts'
import { EpochAborted } from '../../runtime/failures/errors.ts'
import { CarefulReplay, RetryEpoch } from '../../runtime/failures/failures.ts'
import type { TaskGroup } from '../../runtime/tasks/group.ts'
import { Alarm } from './alarm.ts'
import { sealEpoch, sendEarly, writeEpochTo } from './epoch.ts'
import { EpochTimes } from './epoch-times.ts'
import { type Offsets, positionName } from '../inputs.ts'
import { LocalRows } from '../state/local-state.ts'
import { mayPass } from './passing.ts'
import type { RunnerParts } from './runner-parts.ts'
import { RunnerTasks } from './runner-tasks.ts'
import { Sinks } from './sinks.ts'
import type { Assignment, TaskRunner } from './task-runner.ts'
import { Looked, type WatchedStores, WrittenRows } from '../queries/written-rows.ts'

/** Records between two looks at the clock and at the event loop. */
const SLICE = 8192
/** Bytes of outputs that may wait for the epoch before them to be committed. */
const MOST_WAITING = 64 << 20
/** So many bytes of outputs are sent when its transaction is opened: a request more, for a shorter end. */
const WORTH_EARLY = 64 << 10
/** So long one that fails waits for the end of what it has left open, ms. */
const LONGEST_END = 2_000
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
  private readonly settings: Settings
  private readonly local: LocalRows
  private readonly policies: Policies
  private readonly exactlyOnce: boolean
  private readonly reader: RemoteReader
  private readonly writer: RemoteWriter
  private readonly tasks: RunnerTasks
  private membership: Membership | undefined
  private readonly requests: (() => Promise<void>)[] = []
  private held = false
  private begun = false
  private committing: Promise<void> | undefined
  readonly writes: Int32Array
  private readonly looked = new Looked()
  private refused: unknown = undefined
  private readonly sinks: Sinks
  private sinkFailure: unknown = undefined
  /** Something of the running epoch has left already. */
  private sent = false
  /** Its transaction is open, or about to be. */
  private opened = false
  /** Something has left that is neither committed nor taken back. */
  private unsettled = false
  /** A transaction was lost: the next one is kept short, and nothing leaves before the epoch's end. */
  private short = false
  /** The running epoch is to be taken back. */
  private failed = false
  private careful = false
  private epoch = 1
  private readonly times: EpochTimes
  private processed = 0
  private processedAtSeal = 0
  private processedAtCommit = 0
  private written = 0
  private retries = 0
  private saidEnded = false
  private stopping = false
  private abandoned = false
  private readonly alarm: Alarm
  private readonly running: Promise<void>

  constructor(parts: RunnerParts) {
    const { settings, log, transactionalId } = parts
    this.parts = parts
    this.settings = settings
    this.alarm = new Alarm(settings.clock)
    this.writes = parts.writes ?? new Int32Array(new SharedArrayBuffer(4))
    this.local = new LocalRows(parts.state, new Indexes(parts.plan, parts.state, parts.ids))
    this.exactlyOnce = settings.guarantee === 'exactly-once'
    this.policies = new Policies(settings, () => this.tasks.outputs)
    this.reader = log.reader({ onData: () => this.wake() })
    this.writer = log.writer(this.exactlyOnce ? { transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT } : {})
    this.tasks = new RunnerTasks(
      parts,
      this.local,
      this.reader,
      () => this.policies,
      () => this.wake(),
    )
    this.sinks = new Sinks({
      plan: parts.plan,
      settings,
      reader: this.local.backend,
      holds: () => parts.lease.holds,
      wake: () => this.wake(),
      failed: (error) => {
        this.sinkFailure ??= error
        this.wake()
      },
    })
    this.times = new EpochTimes(settings.clock, settings.interval)
    this.running = this.loop()
      .finally(() => this.endOpen())
      .catch((error: unknown) => parts.events.failed(error))
  }

  async fence(): Promise<void> {
    if (this.begun) return
    await this.writer.init()
    this.begun = true
    this.unsettled = false
  }

  assign(assignment: Assignment): Promise<boolean> {
    const done = Promise.withResolvers<boolean>()
    this.requests.push(async () => {
      await this.finish()
      await this.leaveSinks(false)
      if (this.refused !== undefined) {
        done.resolve(false)
        return
      }
      try {
        this.take(assignment)
        done.resolve(true)
      } catch (error) {
        await this.sinks.end()
        this.drop()
        done.reject(error)
      }
    })
    this.wake()
    return done.promise
  }

  async hold(): Promise<boolean> {
    this.held = true
    await this.committing
    // what has left already is part of a transaction: none stays open
    if (this.sent && !this.failed && this.refused === undefined && this.committing === undefined) {
      this.commit()
      await this.committing
    }
    return !this.sent && this.refused === undefined
  }

  async watch(wanted: WatchedStores): Promise<void> {
    await this.looked.at(wanted, () => this.committing)
  }

  async settle(): Promise<void> {
    await this.committing
  }

  release(membership: Membership): void {
    this.held = false
    if (this.membership?.generation !== membership.generation) this.tasks.links?.repeat()
    this.membership = membership
    this.wake()
  }

  async lose(): Promise<void> {
    // From now on nothing is committed.
    this.refused ??= new DhaaraError('DHAARA_KAFKA_FENCED', 'The group has gone on without this instance')
    const done = Promise.withResolvers<void>()
    this.requests.push(async () => {
      await this.committing
      await this.sinks.end()
      this.forget()
      done.resolve()
    })
    this.wake()
    await Promise.race([done.promise, this.running])
  }

  bound(ends: Offsets): void {
    this.tasks.bound(ends)
    this.wake()
  }

  fill(topics: readonly string[]): void {
    this.tasks.fill(topics)
    this.wake()
  }

  async stop(): Promise<void> {
    this.stopping = true
    this.held = false
    this.wake()
    await this.running
    this.tasks.group?.close()
    await this.reader.close()
    this.parts.onStop?.()
  }

  async abandon(): Promise<void> {
    this.stopping = true
    this.abandoned = true
    this.wake()
    await this.running
    this.tasks.group?.close()
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
    const { group, outputs, watermark } = this.tasks
    const counters = new Map<string, number>()
    for (const [name, { n }] of group?.counters ?? []) counters.set(name, n)
    const recordsOut = this.written + outputs.written
    const tasks = group?.report() ?? []
    const errors = this.policies.errors.all()
    return { recordsIn: this.processed, recordsOut, counters, epochs: this.epoch - 1, watermark, tasks, errors }
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      const request = this.requests.shift()
      if (request !== undefined) await request()
      if (this.refused !== undefined) await this.giveUp()
      if (this.sinkFailure !== undefined) throw this.sinkFailure
      const n = this.attempt()
      this.failed = n < 0
      if (n < 0) {
        await this.alarm.after(retryDelays[this.retries - 1] ?? 0)
        await this.committing
        if (this.refused !== undefined) continue
        if (this.sent) await this.writer.abort()
        this.sent = false
        this.unsettled = false
        this.build()
        this.failed = false
        continue
      }
      if (this.committing === undefined && !this.held) {
        if ((this.dirty && this.times.isDue(this.opened, n === 0)) || this.sinks.waiting || this.tasks.group?.pressed)
          this.commit()
        else if (!this.short) {
          this.sendFull()
          this.openAhead()
        }
      }
      this.tellEnd()
      if (this.full) await this.room()
      if (n > 0) await breathe()
      else await this.rest()
    }
    if (this.abandoned) await this.sinks.end()
    else {
      await this.finish()
      await this.leaveSinks(true)
    }
    // What was not committed is done again by whoever has the tasks next.
    if (this.refused !== undefined) this.settings.logger.warn({ error: String(this.refused) }, 'the last epoch is lost')
    for (const request of this.requests.splice(0)) void request()
  }

  /** Nobody reads past an open transaction: one who ends takes it along, lest all wait until the broker gives it up. */
  private async endOpen(): Promise<void> {
    await this.committing
    if (!this.exactlyOnce || !this.unsettled) return
    await Promise.race([this.writer.abort().catch(() => {}), this.alarm.after(LONGEST_END)])
  }

  /** What has to be committed is. */
  private async finish(): Promise<void> {
    await this.committing
    if (this.refused !== undefined || this.tasks.group === undefined || !this.dirty) return
    this.commit()
    await this.committing
  }

  /** Sinks end what they are at, and what they have is committed. */
  private async leaveSinks(all: boolean): Promise<void> {
    let left = false
    const leaving = this.sinks.leave(all).then(() => {
      left = true
      this.wake()
    })
    while (!left && this.refused === undefined) {
      if (this.sinks.waiting && this.committing === undefined) this.commit()
      await Promise.race([leaving, this.committing ?? this.alarm.after(5)])
    }
    if (this.refused !== undefined) await this.sinks.end()
  }

  /** As long as commits are held, more outputs must not be made. */
  private async room(): Promise<void> {
    await this.committing
    if (this.held) await this.rest()
  }

  /** One slice of work; -1: the epoch is to be taken back and tried again. */
  private attempt(): number {
    const { tasks } = this
    const { group } = tasks
    if (group === undefined || (this.held && this.full) || this.sinks.full) return 0
    try {
      const before = tasks.sourced
      group.tick()
      group.run(SLICE)
      const n = tasks.sourced - before
      this.processed += n
      return n
    } catch (error) {
      const cause = error instanceof EpochAborted ? error.cause : error
      if (this.overtaken(cause)) {
        this.refused ??= cause
        return -1
      }
      if (cause instanceof CarefulReplay) this.careful = true
      else if (!(cause instanceof RetryEpoch) || this.retries >= retryDelays.length)
        throw cause instanceof RetryEpoch ? cause.cause : cause
      else this.retries++
      this.settings.logger.warn({ error: String(cause) }, 'the epoch is taken back and replayed')
      return -1
    }
  }

  /**
   * What it was about to read is gone. One that was asleep may find that before it hears that others have its tasks, who have
   * read it and let it go: so it begins anew once from what is committed.
   */
  private overtaken(error: unknown): error is DhaaraError {
    return !this.short && error instanceof DhaaraError && error.code === 'DHAARA_KAFKA_OFFSET'
  }

  private get dirty(): boolean {
    const done = this.opened || this.processed !== this.processedAtSeal || this.tasks.outputs.written > 0
    return done || this.tasks.links?.news === true || this.sinks.waiting || this.tasks.outputs.waiting
  }

  /** So much waits to be committed that no more can be worked on. */
  private get full(): boolean {
    return this.tasks.outputs.bytes > MOST_WAITING || this.tasks.group?.full === true
  }

  private tellEnd(): void {
    const ended =
      this.tasks.group?.ended === true &&
      !this.dirty &&
      this.committing === undefined &&
      this.refused === undefined &&
      this.sinks.idle
    if (ended === this.saidEnded) return
    this.saidEnded = ended
    this.parts.events.ended(ended ? this.tasks.ids : [])
  }

  /** The transaction before this epoch's is over: what is full can go. @param frames or more than that */
  private sendFull(frames = this.tasks.outputs.takeFull()): void {
    const { outputs } = this.tasks
    if (frames.length === 0) return
    this.sent = true
    this.unsettled = true
    sendEarly(this.writer, frames, outputs.spare)
  }

  /** What can be told before the epoch's end need not be waited for behind it. */
  private openAhead(): void {
    const { settings, membership } = this
    if (!this.exactlyOnce || this.opened || !this.dirty || settings.clock.now() < this.times.openAt) return
    this.opened = true
    this.sent = true
    this.unsettled = true
    this.writer.open(membership?.group)
    // what has left by then is not waited for behind the epoch's end
    this.sendFull(this.tasks.outputs.takeEarly(WORTH_EARLY))
  }

  private commit(): void {
    const { settings, local, processed, tasks } = this
    const { inputs, outputs, links, rows } = tasks
    const group = tasks.group as TaskGroup
    const began = performance.now()
    this.times.next()
    const { stores } = this.looked
    const written = stores === undefined ? undefined : new WrittenRows(stores, local.backend)
    const sealed = sealEpoch({
      group,
      outputs,
      links,
      rows,
      frames: tasks.frames,
      local,
      readerOf: (topic) => inputs.readerOf(topic),
      committed: tasks.committed,
      now: settings.clock.now(),
      more: (sealer) => {
        tasks.known.seal(sealer)
        this.sinks.seal(sealer)
      },
      look: written && ((key, after) => written.look(key, after)),
    })
    const { epoch, batch } = sealed
    const flush = performance.now() - began
    const positions = sealed.positions.length > 0 ? sealed.positions : tasks.standIn()
    const { bytes } = batch
    const ended = links?.ended ?? tasks.ended
    this.sent = false
    this.opened = false
    this.unsettled = true
    this.epoch = epoch + 1
    this.written += outputs.written
    outputs.written = 0
    this.processedAtSeal = processed
    const options = {
      exactlyOnce: this.exactlyOnce,
      write: (batch: WriteBatch) => this.write(batch),
      spare: outputs.spare,
    }
    const idOf = (topic: string) => inputs.topics.all.get(topic)?.id ?? ''
    const membership = this.membership as Membership
    this.committing = writeEpochTo(
      { ...sealed, positions },
      this.writer,
      this.parts.log,
      local,
      membership,
      idOf,
      options,
    )
      .then(
        ({ commit, write }) => {
          group.written(epoch)
          this.unsettled = false
          this.sinks.committed()
          for (const one of sealed.positions) tasks.committed.set(positionName(one), one.offset)
          this.processedAtCommit = processed
          tasks.ended = ended
          this.retries = 0
          this.short = false
          this.purge(sealed.positions)
          if (written !== undefined && written.rows.length > 0)
            this.parts.events.written({ count: Atomics.load(this.writes, 0), rows: written.rows })
          const parts = { flush, commit, ...(settings.sync === 'commit' ? { sync: write } : { write }) }
          this.parts.events.checkpoint({ epoch, ms: performance.now() - began, bytes, parts })
        },
        (error: unknown) => {
          this.refused = error
          this.sinks.refused()
        },
      )
      .finally(() => {
        this.committing = undefined
        this.wake()
      })
  }

  /** Others see by the count that rows are being written, and when they were. */
  private write(batch: WriteBatch): void {
    Atomics.add(this.writes, 0, 1)
    try {
      batch.commit({ sync: this.settings.sync === 'commit' })
    } finally {
      Atomics.add(this.writes, 0, 1)
    }
  }

  /** What was read from repartitions is of no use to anybody. */
  private purge(positions: readonly { topic: string; partition: number; offset: number }[]): void {
    const internal = positions.filter(({ topic }) => this.tasks.inputs.isRepartition(topic))
    if (internal.length === 0 || this.epoch % 50 !== 0) return
    this.parts.log.deleteRecords(internal).catch((error: unknown) => {
      this.settings.logger.warn({ error: String(error) }, 'repartition topics were not purged')
    })
  }

  /** A commit was refused, or its outcome is not known: whoever owns the tasks begins anew from what is there. */
  private async giveUp(): Promise<void> {
    await this.committing
    const error = this.refused
    const passes = mayPass(error) || this.overtaken(error)
    await this.sinks.end()
    this.forget()
    if (!passes) throw error
    this.settings.logger.warn(
      { error: error.message, code: error.code },
      'the epoch is taken back: it was not committed',
    )
    this.parts.events.refused(error)
  }

  /** Nothing is left of the tasks; the next transaction begins with a fence. */
  private forget(): void {
    this.refused = undefined
    this.begun = false
    this.short = true
    this.drop()
  }

  private take(assignment: Assignment): void {
    const { tasks } = this
    tasks.take(assignment)
    this.membership = assignment.membership
    this.saidEnded = false
    this.build(true)
    this.sinks.begin(tasks.ids, assignment.topics.partitions, (name, sub) => tasks.rows.idOf(name, sub))
  }

  /** Tasks from what is written. @param whole that is all that was processed */
  private build(whole = false): void {
    this.tasks.build(this.epoch, this.careful, whole)
    this.takeBack()
  }

  private drop(): void {
    this.tasks.drop()
    this.takeBack()
  }

  /** What was not committed has not been done. */
  private takeBack(): void {
    this.sent = false
    this.opened = false
    this.processed = this.processedAtCommit
    this.processedAtSeal = this.processed
  }

  private rest(): Promise<void> {
    const now = this.settings.clock.now()
    const waits = this.tasks.group?.tasks.map((task) => task.parts.wall.due) ?? []
    const may = this.dirty && !this.held && this.committing === undefined
    const toOpen = this.exactlyOnce && !this.opened && !this.short
    const { times } = this
    const commitAt = may ? (toOpen ? times.openAt : times.endAt(this.opened)) : Number.POSITIVE_INFINITY
    if (this.stopping) this.wake()
    return this.alarm.until(Math.max(now + 1, Math.min(now + 100, commitAt, ...waits)))
  }

  private wake(): void {
    this.alarm.ring()
  }
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
