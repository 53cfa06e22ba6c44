import type { EmbeddedLease } from '../../../connectors/broker/broker.ts'
import { receiveError } from '../../../errors/sent-error.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import type { Applied, AskOwner, Changes } from '../../query/index.ts'
import { sharedTransport } from '../../runtime/channels/transport.ts'
import { mostOpen } from './coordinator.ts'
import type { Engine, EngineEvents, EngineMeters, EngineReport } from '../engine.ts'
import { EpochWriter } from '../epochs/epoch-writer.ts'
import { placeCopies } from './global-copies.ts'
import type { StoreIds } from '../state/identity.ts'
import { Metronome } from '../epochs/metronome.ts'
import { NewTopics } from '../topics/new-topics.ts'
import type { Settings } from '../settings/options.ts'
import { restoring } from './pending.ts'
import type { Outcome } from '../epochs/scribe.ts'
import type { Written } from '../epochs/scribe-protocol.ts'
import { answerPolicy } from './sent-settings.ts'
import { diedTooOften, MOST_DEATHS, Setbacks, unequal } from './setbacks.ts'
import { stuckError } from './stuck-at.ts'
import { Totals } from './totals.ts'
import { WorkerEpochs } from './worker-epochs.ts'
import { WorkerInputs } from './worker-inputs.ts'
import type { Part, Question, Report } from './worker-protocol.ts'
import { WorkerSignals } from './worker-signals.ts'
import { type WorkerProgram, Workers } from './workers.ts'

/**
 * All tasks on worker threads; this thread owns the database. It keeps the workers going from epoch to epoch, and takes all
 * of them back to the last one when something fails (docs/proofs/epochs.md).
 *
 *     starting ──▶ running ◀──▶ recovering
 *        │            │             │
 *        │            ├──▶ halting ─┤
 *        ▼            ▼      ▼      ▼
 *      failed       failed  over  failed, over
 */
export class WorkerEngine implements Engine {
  private readonly plan: PhysicalPlan
  private readonly program: WorkerProgram
  private readonly settings: Settings
  private readonly lease: EmbeddedLease
  private readonly ids: StoreIds
  private readonly events: EngineEvents
  private readonly inputs: WorkerInputs
  private readonly newTopics: NewTopics
  readonly partitions: readonly number[]
  private readonly signals: WorkerSignals
  private readonly workers: Workers
  private readonly writer: EpochWriter
  private readonly epochs: WorkerEpochs
  private readonly metronome: Metronome
  /** All begin anew as soon as it is known which epoch is the last. */
  private anew = false
  private readonly totals: Totals
  private readonly setbacks: Setbacks
  private filling: readonly string[] = []
  private state: 'starting' | 'running' | 'recovering' | 'halting' | 'failed' | 'over' = 'starting'
  private finished = false
  private restart: NodeJS.Timeout | undefined
  private failure: unknown = undefined
  private readonly ready = Promise.withResolvers<void>()
  private readonly halted = Promise.withResolvers<void>()

  /** @param partitions of each sub-topology */
  constructor(
    plan: PhysicalPlan,
    partitions: readonly number[],
    program: WorkerProgram,
    settings: Settings,
    lease: EmbeddedLease,
    ids: StoreIds,
    events: EngineEvents,
  ) {
    const { workers } = program
    this.plan = plan
    this.program = program
    this.settings = settings
    this.lease = lease
    this.ids = ids
    this.events = events
    this.inputs = new WorkerInputs(plan, lease)
    this.newTopics = new NewTopics(plan, lease, partitions, settings.logger)
    this.partitions = partitions
    this.totals = new Totals(workers)
    // one more: the scribe
    this.setbacks = new Setbacks(workers + 1)
    this.signals = new WorkerSignals(workers)
    this.workers = new Workers(program, settings, lease, this.inputs, this.signals, {
      report: (from, report) => this.hear(from, report),
      answer: (question) => this.answer(question),
      died: (dead, cause) => this.died(dead, cause),
    })
    const topics = this.inputs.slots.map(({ name, partitions: count }) => [name, count] as const)
    this.writer = new EpochWriter(plan, partitions, topics, settings, lease, ids, events, {
      ahead: mostOpen,
      wanted: () => this.epochs.want(),
      wake: () => this.hold(),
      failed: (error) => void this.fail(error),
    })
    this.epochs = new WorkerEpochs(this.workers, this.writer, lease.log, {
      mayOpen: () => this.state === 'running',
      written: (epoch, parts, last) => this.written(epoch, parts, last),
      unwritten: (outcome) => this.unwritten(outcome),
      idle: () => {
        if (this.anew && this.state === 'recovering') this.restore()
      },
      failed: (error) => void this.fail(error),
    })
    this.metronome = new Metronome(settings.interval, () => {
      if (this.signals.dirty) this.epochs.want()
      this.hold()
      this.epochs.openIfDue()
    })
    this.ready.promise.catch(() => {})
    this.meters = {
      tasks: () => this.workers.tasks(),
      errors: () => this.workers.errors(),
      latency: this.writer.latency,
    }
  }

  async start(): Promise<void> {
    const { latency } = this.writer
    const appended = this.lease.log.onAppend((all) => {
      latency.appended(all)
      for (const { topic, partition, endOffset } of all) {
        this.inputs.offsets.setEnd(topic, partition, endOffset)
        this.signals.arrived(partition)
      }
      if (this.inputs.endingSources !== 'all' && this.newTopics.among(all)) this.widen()
    })
    void this.halted.promise.finally(() => appended[Symbol.dispose]())
    // beside the workers, so that the first epoch does not wait for it
    this.writer.scribe.start()
    placeCopies(this.plan, this.partitions, this.program.workers, this.lease.backend, this.ids)
    for (let worker = 0; worker < this.program.workers; worker++) this.workers.hire(worker)
    await this.ready.promise
    this.writer.deliveries.start()
  }

  async stop(timeout?: number): Promise<void> {
    const giveUp = timeout === undefined ? undefined : setTimeout(() => this.abandon(timeout), timeout)
    if (this.state === 'running') {
      this.state = 'halting'
      if (this.finished) this.halted.resolve()
      else this.epochs.openLast()
    } else if (this.state === 'recovering' || this.state === 'starting') {
      // what is unwritten is gone already
      this.state = 'halting'
      this.halted.resolve()
    }
    clearTimeout(this.restart)
    await this.halted.promise
    this.metronome.stop()
    // what workers hand over from now on is not written
    this.epochs.end()
    await this.writer.stop()
    await this.workers.leave()
    clearTimeout(giveUp)
    if (this.failure === undefined) await this.writer.deliveries.stop(timeout)
    this.workers.letGo()
    if (this.state !== 'failed') this.state = 'over'
    if (this.failure !== undefined) throw this.failure
  }

  /** Ends workers that do not come to an end; what they have not handed over is done again at the next start. */
  private abandon(timeout: number): void {
    this.settings.logger.warn({ timeout }, 'the app does not close in time; the last checkpoint stands')
    this.epochs.end()
    void this.workers.terminate()
    this.halted.resolve()
  }

  endInputs(topics?: readonly string[]): void {
    this.inputs.bound(topics)
    this.workers.tell({ type: 'bound', bounds: this.inputs.bounds, sources: this.inputs.endingSources })
  }

  fillInputs(topics: readonly string[]): void {
    this.filling = [...topics]
    this.workers.tell({ type: 'filling', topics: this.filling })
  }

  positionOf(topic: string, partition: number): number | undefined {
    return this.inputs.offsets.position(topic, partition)
  }

  get changes(): Changes {
    return this.writer.changes
  }

  get applied(): Applied {
    return this.writer.applied
  }

  readonly ask: AskOwner = ({ sub, name }, partition, query) => {
    const worker = partition % this.program.workers
    if (this.state !== 'running') throw restoring(`worker ${worker} is not up`)
    return this.workers.ask(worker, sub, partition, name, query)
  }

  readonly meters: EngineMeters

  report(): EngineReport {
    return this.totals.report(this.epochs.written)
  }

  private hear(worker: number, report: Report): void {
    if (report.type === 'log') this.settings.logger[report.level](report.fields as object, report.message)
    else if (report.type === 'ready') this.isReady(worker, report.hash)
    else if (report.type === 'broken') void this.fail(receiveError(report.error))
    else if (report.type === 'answer' || report.type === 'meters') this.workers.heard(worker, report)
    else if (report.type === 'ask' || report.generation !== this.epochs.generation) return
    else if (report.type === 'part') this.epochs.collect(worker, report.part)
    else if (report.type === 'ended') this.epochs.ended(worker)
    else if (report.type === 'pressed') this.isPressed()
    else this.hasFailed(report.kind, receiveError(report.error))
  }

  private isReady(worker: number, hash: string): void {
    if (hash !== this.program.hash) return void this.fail(unequal(worker, hash, this.program))
    this.workers.ready(worker, (ms) => void this.isStuck(worker, ms))
    if (!this.workers.loaded) return
    if (this.state === 'starting') {
      this.restore()
      this.metronome.start()
      this.ready.resolve()
    } else if (this.state === 'recovering' && this.restart === undefined) this.resumed()
  }

  /** A new generation: all workers begin anew with what the database has, once that is known. */
  private restore(): void {
    this.anew = this.epochs.writing
    if (this.anew) return
    // an epoch whose end was waited for may have brought another setback
    clearTimeout(this.restart)
    this.restart = undefined
    this.epochs.begin()
    this.writer.applied.begunAnew()
    const { plan, partitions, setbacks, filling, inputs } = this
    this.workers.tell({
      type: 'restore',
      epoch: this.epochs.written + 1,
      careful: setbacks.careful,
      partitions,
      topics: this.newTopics.readable,
      offsets: inputs.memory,
      slots: inputs.slots,
      storeIds: [...this.ids.all()],
      bounds: inputs.bounds,
      latest: inputs.latest,
      sources: inputs.endingSources,
      filling,
      refused: setbacks.refused,
      transport: sharedTransport(plan, partitions, this.epochs.generation, this.program.workers),
    })
    if (this.workers.loaded) this.resumed()
  }

  /** Sources by pattern have more to read: from the last epoch on, with all of it. */
  private widen(): void {
    this.inputs.renew(this.newTopics.readable)
    // else the next restore tells it
    if (this.state === 'running') this.recover('a source reads a new topic', undefined, 0)
  }

  private resumed(): void {
    const again = this.state === 'recovering'
    this.state = 'running'
    if (again) this.events.running?.()
  }

  /** Takes the group back to the last written epoch; `delay` ms later it goes on. */
  private recover(why: string, error: unknown, delay: number): void {
    if (this.state === 'halting') {
      this.settings.logger.warn({ error: String(error) }, `${why} while the app closes; the last checkpoint stands`)
      this.epochs.end()
      this.halted.resolve()
      return
    }
    if (this.state === 'failed' || this.state === 'over') return
    const fields = error === undefined ? {} : { error: String(error) }
    this.settings.logger.warn(fields, `${why}; all tasks go back to the last checkpoint`)
    if (this.state === 'running') {
      this.state = 'recovering'
      this.events.rebalancing?.()
    }
    this.epochs.end()
    clearTimeout(this.restart)
    this.restart = setTimeout(() => this.restore(), delay)
  }

  private died(worker: number, cause: unknown): void {
    this.workers.lost(worker)
    if (this.state === 'failed' || this.state === 'over') return
    const { state } = this
    if (state === 'starting') return void this.fail(diedTooOften(worker, 'while it started', cause))
    if (state !== 'halting') {
      if (!this.setbacks.died(worker))
        return void this.fail(diedTooOften(worker, `${MOST_DEATHS + 1} times without getting further`, cause))
      this.workers.hire(worker)
    }
    this.recover(`worker ${worker} died`, cause, 0)
  }

  /** The policy for user code decides; what is known of the record is what can be left out. */
  private async isStuck(worker: number, ms: number): Promise<void> {
    const handle = this.workers.handle(worker)
    if (handle === undefined) return
    const at = await handle.stuckAt()
    if (this.workers.handle(worker) !== handle || this.state === 'failed' || this.state === 'over') return
    const { source } = at
    const error = stuckError(worker, ms, at, at.step === undefined ? undefined : this.plan.steps[at.step]?.name)
    this.settings.logger.error({ worker, code: error.code }, error.message)
    const { user } = this.settings.policies
    const action = typeof user === 'function' ? user(error, source && this.inputs.record(source)) : user
    if (this.setbacks.stuck(worker, action, source, error)) handle.kill(error)
    else void this.fail(error)
  }

  private hasFailed(kind: 'careful' | 'retry' | 'fail', error: Error): void {
    const again = this.setbacks.failed(kind)
    if (again === undefined) void this.fail(error)
    else this.recover(again.why, error, again.delay)
  }

  private async fail(error: unknown): Promise<void> {
    if (this.state === 'failed' || this.state === 'over') return
    const starting = this.state === 'starting'
    this.state = 'failed'
    this.failure = error
    this.epochs.end()
    this.metronome.stop()
    clearTimeout(this.restart)
    await this.workers.terminate()
    await this.writer.stop()
    await this.writer.deliveries.end()
    this.workers.letGo()
    this.halted.resolve()
    if (starting) this.ready.reject(error)
    else this.events.failed(error)
  }

  private isPressed(): void {
    this.epochs.want()
    this.epochs.openIfDue()
  }

  /** Workers wait while sinks are slow. */
  private hold(): void {
    this.signals.hold(this.writer.deliveries.full)
  }

  private written(epoch: number, parts: readonly Part[], last: boolean): void {
    for (const [worker, { stats }] of parts.entries()) this.totals.add(worker, stats)
    this.setbacks.written([...parts.map(({ stats }) => stats.processed > 0), true])
    this.writer.committed({
      epoch,
      positions: parts.flatMap(({ stats }) => stats.positions),
      flows: parts.flatMap(({ stats }) => stats.flows),
    })
    this.hold()
    if (!this.finished && parts.every(({ ended }) => ended)) {
      this.finished = true
      this.writer.deliveries.drained().then(
        () => {
          if (this.state !== 'failed') this.events.ended()
        },
        (error: unknown) => void this.fail(error),
      )
    }
    if (last) this.halted.resolve()
  }

  private unwritten(outcome: Exclude<Outcome, Written>): void {
    if ('error' in outcome) return void this.fail(outcome.error)
    const scribe = this.program.workers
    if (this.setbacks.died(scribe)) this.recover('the thread that writes epochs died', outcome.died, 0)
    else void this.fail(diedTooOften(scribe, `${MOST_DEATHS + 1} times without getting further`, outcome.died))
  }

  private answer(question: Question): unknown {
    if (question.type === 'storeId') return this.ids.idOf(question.name)
    if (question.type === 'ensureTopic') return this.lease.ensureTopic(question.name).partitions
    return answerPolicy(this.settings, question)
  }
}
