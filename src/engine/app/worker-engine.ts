import type { EmbeddedLease } from '../../connectors/broker/broker.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { SharedHandle } from '../../state/backends/index.ts'
import { asBuffer } from '../../state/codec/index.ts'
import { Applied, type AskOwner, Changes, Indexes } from '../query/index.ts'
import type { Deliveries } from '../connect/deliveries.ts'
import { embeddedDeliveries } from '../connect/embedded.ts'
import { type ErrorReport, Latency, mergeErrors, type TaskReport } from '../metrics/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { Bells } from '../runtime/bells.ts'
import type { Sealer } from '../../state/stores/index.ts'
import { syncWrites, writeEpoch } from '../runtime/commit.ts'
import { unpack } from '../runtime/epoch-pack.ts'
import type { SourceRecord } from '../runtime/record.ts'
import { sharedTransport } from '../runtime/transport.ts'
import { Coordinator } from './coordinator.ts'
import type { Engine, EngineEvents, EngineMeters, EngineReport } from './engine.ts'
import { failpoint } from './failpoints.ts'
import type { StoreIds } from './identity.ts'
import { Durability } from './durability.ts'
import { NewTopics } from './new-topics.ts'
import type { Settings } from './options.ts'
import { receiveError, sendError } from '../../errors/sent-error.ts'
import { Pending, restoring } from './pending.ts'
import { answerPolicy, sentSettings } from './sent-settings.ts'
import { Totals } from './totals.ts'
import { type WorkerEvents, WorkerHandle } from './worker-handle.ts'
import { WorkerInputs } from './worker-inputs.ts'
import { stuckError } from './stuck-at.ts'
import type { Order, Part, Question, RefusedRecord, Report } from './worker-protocol.ts'

const RETRY_DELAYS = [100, 200, 400, 800, 1600, 3200, 6400, 10_000]
/** A worker that dies so often without having got further is not replaced any more. */
const MOST_DEATHS = 5

/** The module whose topology the workers run; `hash`: of the plan that the owner made from it. */
export interface WorkerProgram {
  readonly url: URL
  readonly settings: Readonly<Record<string, string>>
  readonly hash: string
  readonly workers: number
  /** What the threads run instead of `worker-thread.ts`. */
  readonly script?: URL
}

/**
 * All tasks on worker threads; this thread owns the database. It opens epochs, collects the workers' parts, writes each epoch
 * as one batch, and takes all workers back to the last one when something fails (docs/proofs/epochs.md).
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
  private readonly durability: Durability
  readonly partitions: readonly number[]
  private readonly deliveries: Deliveries
  private readonly bellMemory: SharedArrayBuffer
  private readonly bells: Bells
  /** One Int32 a worker: it has something to write. */
  private readonly dirty: Int32Array
  private readonly totals: Totals
  private readonly handles: (WorkerHandle | undefined)[] = []
  private readonly asked = new Pending()
  private readonly lent = new Map<number, SharedHandle>()
  private readonly deaths: number[]
  private readonly loading = new Set<number>()
  private readonly atEnd = new Set<number>()
  private filling: readonly string[] = []
  private state: 'starting' | 'running' | 'recovering' | 'halting' | 'failed' | 'over' = 'starting'
  private coordinator: Coordinator
  private generation = 0
  private careful = false
  private readonly refused: RefusedRecord[] = []
  private retries = 0
  /** Of the epoch after which workers do no more. */
  private haltEpoch = Number.POSITIVE_INFINITY
  private finished = false
  private timer: NodeJS.Timeout | undefined
  private lookAt = 0
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
    this.changes = new Changes(lease.backend)
    this.indexes = new Indexes(plan, lease.backend, ids)
    this.ids = ids
    this.events = events
    this.inputs = new WorkerInputs(plan, lease)
    this.newTopics = new NewTopics(plan, lease, partitions, settings.logger)
    this.durability = new Durability(settings.sync, settings.clock, () => this.syncLog())
    this.partitions = partitions
    this.indexes.build(this.partitions)
    this.bellMemory = Bells.memory(workers)
    this.bells = new Bells(this.bellMemory)
    this.dirty = new Int32Array(new SharedArrayBuffer(4 * (workers + 1)))
    this.totals = new Totals(workers)
    this.deaths = new Array<number>(workers).fill(0)
    this.coordinator = new Coordinator(workers, 0)
    this.deliveries = embeddedDeliveries(plan, settings, lease, ids, this.partitions, {
      wake: () => this.hold(),
      failed: (error) => void this.fail(error),
    })
    this.ready.promise.catch(() => {})
    this.applied = new Applied(plan, 2, () => {
      this.due = true
    })
    const told = () => [...this.told.values()]
    this.meters = {
      tasks: () => told().flatMap(({ tasks }) => tasks),
      errors: () => mergeErrors(told().map(({ errors }) => errors)),
      latency: new Latency(this.inputs.slots.map(({ name, partitions }) => [name, partitions])),
    }
  }

  async start(): Promise<void> {
    const { latency } = this.meters
    const appended = this.lease.log.onAppend((all) => {
      latency?.appended(all)
      for (const { topic, partition, endOffset } of all) {
        this.inputs.offsets.setEnd(topic, partition, endOffset)
        this.bells.ring(partition % this.program.workers)
      }
      if (this.inputs.endingSources !== 'all' && this.newTopics.among(all)) this.widen()
    })
    void this.halted.promise.finally(() => {
      appended[Symbol.dispose]()
      this.durability.stop()
    })
    for (let worker = 0; worker < this.program.workers; worker++) this.hire(worker)
    await this.ready.promise
    this.deliveries.start()
  }

  async stop(timeout?: number): Promise<void> {
    const giveUp = timeout === undefined ? undefined : setTimeout(() => this.abandon(timeout), timeout)
    if (this.state === 'running') {
      this.state = 'halting'
      if (this.finished) this.halted.resolve()
      else this.open(true)
    } else if (this.state === 'recovering' || this.state === 'starting') {
      // what is unwritten is gone already
      this.state = 'halting'
      this.halted.resolve()
    }
    clearTimeout(this.restart)
    await this.halted.promise
    clearTimeout(this.timer)
    await Promise.all(this.handles.map((handle) => handle?.leave()))
    clearTimeout(giveUp)
    if (this.failure === undefined) await this.deliveries.stop(timeout)
    for (const handle of this.lent.values()) this.lease.backend.takeBack(handle)
    this.asked.forget()
    if (this.state !== 'failed') this.state = 'over'
    if (this.failure !== undefined) throw this.failure
  }

  /** Ends workers that do not come to an end; what they have not handed over is done again at the next start. */
  private abandon(timeout: number): void {
    this.settings.logger.warn({ timeout }, 'the app does not close in time; the last checkpoint stands')
    this.generation++
    for (const handle of this.handles) void handle?.terminate()
    this.halted.resolve()
  }

  endInputs(topics?: readonly string[]): void {
    this.inputs.bound(topics)
    this.tell({ type: 'bound', bounds: this.inputs.bounds, sources: this.inputs.endingSources })
  }

  fillInputs(topics: readonly string[]): void {
    this.filling = [...topics]
    this.tell({ type: 'filling', topics: this.filling })
  }

  positionOf(topic: string, partition: number): number | undefined {
    return this.inputs.offsets.position(topic, partition)
  }

  readonly changes: Changes

  readonly applied: Applied

  private readonly indexes: Indexes

  /** The sealing of an epoch, with indexes, and told to those who watch. */
  private sealing(seal: (sealer: Sealer) => void): (sealer: Sealer) => void {
    return this.indexes.indexed(this.changes.watched(seal))
  }

  readonly ask: AskOwner = ({ sub, name }, partition, query) => {
    const worker = partition % this.program.workers
    const handle = this.handles[worker]
    if (handle === undefined || this.state !== 'running') throw restoring(`worker ${worker} is not up`)
    return this.asked.send(worker, (id) => handle.order({ type: 'query', id, sub, partition, store: name, query }))
  }

  /** What each worker told last. */
  private readonly told = new Map<number, { tasks: readonly TaskReport[]; errors: readonly ErrorReport[] }>()

  readonly meters: EngineMeters

  report(): EngineReport {
    return this.totals.report(this.coordinator.written)
  }

  private get generationIsOver(): boolean {
    return this.state !== 'running' && this.state !== 'halting'
  }

  private hire(worker: number): void {
    const { program, settings, inputs, lease } = this
    this.loading.add(worker)
    const handle = lease.backend.lend()
    this.lent.set(worker, handle)
    const start = {
      url: program.url.href,
      env: program.settings,
      worker,
      workers: program.workers,
      settings: sentSettings(settings),
      handle,
      bells: this.bellMemory,
      offsets: inputs.memory,
      topics: inputs.slots,
      dirty: this.dirty.buffer as SharedArrayBuffer,
    }
    const events: WorkerEvents = {
      report: (from, report) => this.hear(from, report),
      answer: (question) => this.answer(question),
      died: (dead, cause) => this.died(dead, cause),
    }
    this.handles[worker] = new WorkerHandle(start, this.bells, events, program.script)
  }

  private hear(worker: number, report: Report): void {
    if (report.type === 'log') this.settings.logger[report.level](report.fields as object, report.message)
    else if (report.type === 'ready') this.isReady(worker, report.hash)
    else if (report.type === 'broken') void this.fail(receiveError(report.error))
    else if (report.type === 'answer') this.asked.settle(report)
    else if (report.type === 'meters') this.told.set(worker, report)
    else if (report.type === 'ask' || report.generation !== this.generation) return
    else if (report.type === 'part') this.collect(worker, report.part)
    else if (report.type === 'ended') this.hasEnded(worker)
    else if (report.type === 'pressed') this.isPressed()
    else this.hasFailed(report.kind, receiveError(report.error))
  }

  private isReady(worker: number, hash: string): void {
    if (hash !== this.program.hash) {
      const what = `worker ${worker} made the plan ${hash.slice(0, 12)} from ${this.program.url.href}, and the app made ${this.program.hash.slice(0, 12)}`
      void this.fail(
        new DhaaraError(
          'DHAARA_PLAN_UNEQUAL',
          `${what}; a topology must not depend on clock, environment or random numbers: give what varies as settings`,
        ),
      )
      return
    }
    this.handles[worker]?.watchOver(this.settings.stuckAfter, (ms) => void this.isStuck(worker, ms))
    this.loading.delete(worker)
    if (this.loading.size > 0) return
    if (this.state === 'starting') {
      this.restore()
      this.schedule()
      this.ready.resolve()
    } else if (this.state === 'recovering' && this.restart === undefined) this.resumed()
  }

  /** A new generation: all workers begin anew with what the database has. */
  private restore(): void {
    this.restart = undefined
    this.generation++
    this.applied.begunAnew()
    this.atEnd.clear()
    this.coordinator = new Coordinator(this.program.workers, this.coordinator.written)
    const { plan, partitions, careful, filling, inputs } = this
    this.tell({
      type: 'restore',
      epoch: this.coordinator.written + 1,
      careful,
      partitions,
      topics: this.newTopics.readable,
      offsets: inputs.memory,
      slots: inputs.slots,
      storeIds: [...this.ids.all()],
      bounds: inputs.bounds,
      latest: inputs.latest,
      sources: inputs.endingSources,
      filling,
      refused: this.refused,
      transport: sharedTransport(plan, partitions, this.generation, this.program.workers),
    })
    if (this.loading.size === 0) this.resumed()
  }

  private syncLog(): void {
    try {
      syncWrites(this.lease.backend)
    } catch (error) {
      void this.fail(error)
    }
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
      this.generation++
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
    this.generation++
    clearTimeout(this.restart)
    this.restart = setTimeout(() => this.restore(), delay)
  }

  private died(worker: number, cause: unknown): void {
    this.lease.backend.takeBack(this.lent.get(worker) as SharedHandle)
    this.handles[worker] = undefined
    this.asked.forget(worker)
    if (this.state === 'failed' || this.state === 'over') return
    const starting = this.state === 'starting'
    const halting = this.state === 'halting'
    if (starting || (!halting && ++(this.deaths[worker] as number) > MOST_DEATHS)) {
      const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
      const when = starting ? 'while it started' : `${MOST_DEATHS + 1} times without getting further`
      void this.fail(
        new DhaaraError('DHAARA_WORKER_DIED', `worker ${worker} died ${when}; at last: ${text}`, { cause }),
      )
      return
    }
    if (!halting) this.hire(worker)
    this.recover(`worker ${worker} died`, cause, 0)
  }

  /** The policy for user code decides; what is known of the record is what can be left out. */
  private async isStuck(worker: number, ms: number): Promise<void> {
    const handle = this.handles[worker]
    if (handle === undefined) return
    const at = await handle.stuckAt()
    if (this.handles[worker] !== handle || this.state === 'failed' || this.state === 'over') return
    const { source } = at
    const error = stuckError(worker, ms, at, at.step === undefined ? undefined : this.plan.steps[at.step]?.name)
    this.settings.logger.error({ worker, code: error.code }, error.message)
    const { user } = this.settings.policies
    const action = typeof user === 'function' ? user(error, source && this.inputs.record(source)) : user
    // what was to be left out already comes from a source that cannot leave out a record
    const known = source !== undefined && !this.refused.some((one) => sameRecord(one, source))
    if (action === 'fail' || (action !== 'retry' && !known)) {
      void this.fail(error)
      return
    }
    if (action !== 'retry' && source !== undefined) {
      this.refused.push({ ...source, deadLetter: action === 'deadLetter', error: sendError(error) })
      // without that record it gets further
      ;(this.deaths[worker] as number)--
    }
    handle.kill(error)
  }

  private hasFailed(kind: 'careful' | 'retry' | 'fail', error: Error): void {
    if (kind === 'careful' && !this.careful) {
      this.careful = true
      this.recover('a user function failed', error, 0)
    } else if (kind === 'retry' && this.retries < RETRY_DELAYS.length)
      this.recover('a policy asked for another try', error, RETRY_DELAYS[this.retries++] as number)
    else void this.fail(error)
  }

  private async fail(error: unknown): Promise<void> {
    if (this.state === 'failed' || this.state === 'over') return
    const starting = this.state === 'starting'
    this.state = 'failed'
    this.failure = error
    this.generation++
    clearTimeout(this.timer)
    clearTimeout(this.restart)
    await Promise.all(this.handles.map((handle) => handle?.terminate()))
    await this.deliveries.end()
    this.asked.forget()
    for (const handle of this.lent.values()) this.lease.backend.takeBack(handle)
    this.halted.resolve()
    if (starting) this.ready.reject(error)
    else this.events.failed(error)
  }

  private hasEnded(worker: number): void {
    this.atEnd.add(worker)
    this.openIfDue()
  }

  private isPressed(): void {
    this.due = true
    this.openIfDue()
  }

  /** Looks each interval whether there is something to write. */
  private schedule(): void {
    const interval = Math.max(1, this.settings.interval)
    const now = performance.now()
    // a look that comes late does not put off those behind it
    this.lookAt = this.lookAt + interval > now ? this.lookAt + interval : now + interval
    this.timer = setTimeout(() => {
      if (this.anyDirty) this.due = true
      this.hold()
      this.openIfDue()
      this.schedule()
    }, this.lookAt - now)
  }

  private get anyDirty(): boolean {
    for (let i = 0; i < this.program.workers; i++) if (Atomics.load(this.dirty, i) === 1) return true
    return false
  }

  /** Workers wait while sinks are slow. */
  private hold(): void {
    const { workers } = this.program
    const held = this.deliveries.full ? 1 : 0
    if (Atomics.exchange(this.dirty, workers, held) === held || held === 1) return
    for (let worker = 0; worker < workers; worker++) this.bells.ring(worker)
  }

  /** An epoch is to be opened as soon as there is room. */
  private due = false

  private openIfDue(): void {
    const allEnded = this.atEnd.size === this.program.workers
    if (this.state !== 'running' || !this.coordinator.roomy || !(this.due || allEnded)) return
    this.due = false
    // a worker says it once: an epoch that comes before the others have ended must not forget it
    if (allEnded) this.atEnd.clear()
    this.open(false)
  }

  private open(halt: boolean): void {
    const epoch = this.coordinator.open()
    if (halt) this.haltEpoch = epoch
    this.tell({ type: 'seal', generation: this.generation, epoch, halt })
    failpoint('epoch-opened')
  }

  private collect(worker: number, part: Part): void {
    if (this.generationIsOver) return
    try {
      this.coordinator.add(worker, part)
      failpoint('first-part')
      for (let parts = this.coordinator.whole; parts !== undefined; parts = this.coordinator.whole) this.write(parts)
    } catch (error) {
      void this.fail(error)
    }
    this.openIfDue()
  }

  private write(parts: readonly Part[]): void {
    const { backend, log } = this.lease
    const began = performance.now()
    failpoint('before-write')
    const { bytes, clears } = writeEpoch(
      backend,
      log,
      this.sealing((sealer) => {
        for (const { pack } of parts) unpack(pack, sealer)
      }),
      () => {
        failpoint('in-write')
        return parts.flatMap(({ frames }) => frames.map((one) => ({ ...one, frame: asBuffer(one.frame) })))
      },
      this.durability.next(),
    )
    failpoint('after-write')
    for (const [gte, lt] of clears) backend.clearRange(gte, lt)
    failpoint('after-clears')
    const epoch = this.coordinator.done()
    this.tell({ type: 'written', generation: this.generation, epoch })
    failpoint('after-told')
    for (const [worker, { stats }] of parts.entries()) {
      this.totals.add(worker, stats)
      if (stats.processed > 0) this.deaths[worker] = 0
      for (const [topic, partition, position] of stats.positions)
        this.meters.latency?.committed(topic, partition, position)
    }
    this.retries = 0
    this.changes.committed()
    this.applied.committed({
      epoch,
      positions: parts.flatMap(({ stats }) => stats.positions),
      flows: parts.flatMap(({ stats }) => stats.flows),
    })
    this.deliveries.committed()
    this.hold()
    this.events.checkpoint({ epoch, ms: performance.now() - began, bytes })
    if (!this.finished && parts.every(({ ended }) => ended)) {
      this.finished = true
      this.deliveries.drained().then(
        () => {
          if (this.state !== 'failed') this.events.ended()
        },
        (error: unknown) => void this.fail(error),
      )
    }
    if (epoch >= this.haltEpoch) this.halted.resolve()
  }

  private answer(question: Question): unknown {
    if (question.type === 'storeId') return this.ids.idOf(question.name)
    if (question.type === 'ensureTopic') return this.lease.ensureTopic(question.name).partitions
    return answerPolicy(this.settings, question)
  }

  private tell(order: Order): void {
    for (const handle of this.handles) handle?.order(order)
  }
}

const sameRecord = (a: SourceRecord, b: SourceRecord): boolean =>
  a.topic === b.topic && a.partition === b.partition && a.offset === b.offset
