import type { MessagePort } from 'node:worker_threads'
import { Pulse } from '../../../connectors/broker/apart/index.ts'
import type { ReadableLog } from '../../../connectors/broker/log.ts'
import type { DhaaraError } from '../../../errors/index.ts'
import { receiveError, sendError } from '../../../errors/sent-error.ts'
import type { BackendReader } from '../../../state/backend.ts'
import { readRocks } from '../../../state/backends/index.ts'
import { SourceReader } from '../../connect/source-reader.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { answerLatest, packRaw } from '../../query/index.ts'
import { Bells } from '../../runtime/channels/bells.ts'
import { systemClock } from '../../runtime/clock.ts'
import { EpochPack } from '../../../state/epoch-pack.ts'
import { EpochAborted } from '../../runtime/failures/errors.ts'
import { CarefulReplay, RetryEpoch } from '../../runtime/failures/failures.ts'
import { TopicFeed } from '../../runtime/inputs/feed.ts'
import { TaskGroup } from '../../runtime/tasks/group.ts'
import type { Host, Refusal, TaskId } from '../../runtime/host.ts'
import { Outputs } from '../../runtime/outputs.ts'
import { Transport } from '../../runtime/channels/transport.ts'
import { Asker } from './ask.ts'
import { AskedIds } from './asked-ids.ts'
import { failpoint, isHeld } from '../epochs/failpoints.ts'
import { hostParts } from '../settings/host-parts.ts'
import type { Logger } from '../settings/logger.ts'
import type { Settings } from '../settings/options.ts'
import { restoring } from './pending.ts'
import { Policies } from '../settings/policies.ts'
import { received } from './received.ts'
import { askedPolicies } from './sent-settings.ts'
import { SourceOffsets } from './source-offsets.ts'
import { startOffsetOf } from '../topics/start-offset.ts'
import { WorkerProgress } from './worker-progress.ts'
import type { Bounds, EndingSources, EpochStats, Order, Part, Report, WorkerStart } from './worker-protocol.ts'

/** Records between two looks at the owner's orders and at the event loop: a checkpoint waits for them. */
const SLICE = 4096
/** The same in milliseconds, where records take long. */
const TURN = 10
const FETCH_BYTES = 1 << 20
/** Longest sleep, ms: idleness is judged by the clock. */
const NAP = 100
/** How often the owner is told what the tasks do, ms. */
const METERS = 500

type Restore = Extract<Order, { type: 'restore' }>

/** An epoch that this worker has sealed and not handed over yet. */
interface Sealed {
  readonly epoch: number
  readonly pack: EpochPack
  readonly frames: Part['frames']
  readonly ended: boolean
  readonly stats: EpochStats
}

/** The tasks of one worker thread, under the owner's orders. */
export class WorkerRuntime {
  private readonly plan: PhysicalPlan
  private readonly start: WorkerStart
  private readonly settings: Settings
  private readonly port: MessagePort
  private readonly bells: Bells
  private offsets: SourceOffsets
  private readonly dirty: Int32Array
  private readonly ids: AskedIds
  private readonly reader: ReturnType<typeof readRocks>
  private readonly log: ReadableLog
  private readonly policies: Policies
  private outputs = new Outputs((topic) => this.ids.partitionsOf(topic))
  private group: TaskGroup | undefined
  private progress: WorkerProgress | undefined
  private transport: Transport | undefined
  private bounds: Bounds = []
  private filling: ReadonlySet<string> = new Set()
  private sealed: Sealed[] = []
  private halted = false
  private closed = false
  private saidEnded = false
  private saidPressed = false
  private metersDue = 0
  private readonly pulse: Int32Array
  /** By topic partition and offset. */
  private readonly refused = new Map<string, Map<number, Refusal>>()
  private sealsHeld: Extract<Order, { type: 'seal' }>[] = []

  constructor(plan: PhysicalPlan, start: WorkerStart, logger: Logger, logOf: (reader: BackendReader) => ReadableLog) {
    this.plan = plan
    this.start = start
    this.port = start.port
    this.bells = new Bells(start.bells)
    this.pulse = new Int32Array(start.pulse)
    this.offsets = new SourceOffsets(start.offsets, start.topics)
    this.dirty = new Int32Array(start.dirty)
    const asker = new Asker(start.port, start.answers, start.answered)
    this.ids = new AskedIds(asker)
    this.ids.know(start.topics)
    this.reader = readRocks(start.handle)
    this.log = logOf(this.reader)
    this.settings = {
      ...start.settings,
      clock: systemClock,
      logger,
      policies: askedPolicies(asker, start.settings),
    }
    this.policies = new Policies(
      this.settings,
      () => this.outputs,
      (topic, partition, offset) =>
        this.log.topic(topic) === undefined ? undefined : this.log.fetch(topic, partition, offset, 1),
    )
  }

  /** Until the owner says `close`. */
  async run(): Promise<void> {
    const { worker } = this.start
    const pulse = new Pulse(this.start.pulse)
    for (;;) {
      const heard = this.bells.count(worker)
      this.obey()
      if (this.closed) break
      const n = this.attempt()
      this.tellMeters()
      if (n > 0) await breathe()
      else await this.bells.sleep(worker, heard, this.nap())
    }
    this.closeGroup()
    pulse.stop()
  }

  private obey(): void {
    for (let order = received<Order>(this.port); order !== undefined; order = received<Order>(this.port)) {
      if (order.type === 'restore') this.restore(order)
      else if (order.type === 'bound') this.bound(order.bounds, order.sources)
      else if (order.type === 'filling') this.filling = new Set(order.topics)
      else if (order.type === 'close') this.closed = true
      else if (order.type === 'query') this.answer(order)
      else if (order.generation !== this.transport?.generation) continue
      else if (order.type === 'seal') this.sealOrHold(order)
      else {
        this.group?.written(order.epoch)
        failpoint('after-written')
      }
    }
  }

  private closeGroup(): void {
    const errors = this.group?.close() ?? []
    for (const error of errors) this.settings.logger.error({ err: error, code: error.code }, error.message)
  }

  /** Drops all that is unwritten and begins anew with what the database has. */
  private restore(order: Restore): void {
    this.closeGroup()
    this.group = undefined
    this.transport = undefined
    this.halted = false
    this.saidEnded = false
    this.saidPressed = false
    this.sealed = []
    this.sealsHeld = []
    this.outputs = new Outputs((topic) => this.ids.partitionsOf(topic))
    this.ids.know(order.slots, order.storeIds)
    this.bounds = order.bounds
    this.filling = new Set(order.filling)
    this.refuse(order.refused)
    const { worker, workers } = this.start
    const { epoch, partitions, transport } = order
    this.offsets = new SourceOffsets(order.offsets, order.slots)
    const tasks: TaskId[] = this.plan.subs.flatMap(({ id }) =>
      Array.from({ length: partitions[id] as number }, (_, partition) => ({ sub: id, partition })).filter(
        ({ partition }) => partition % workers === worker,
      ),
    )
    this.guarded(transport.generation, () => {
      this.transport = new Transport(worker, this.plan, partitions, transport, this.bells, epoch)
      this.group = new TaskGroup(this.plan, partitions, tasks, this.host(order), epoch, this.transport)
      this.progress = new WorkerProgress(this.group)
      const { positions } = this.progress
      this.settings.logger.debug({ worker, epoch: epoch - 1, tasks: tasks.length, positions }, 'tasks restored')
      this.bound(order.bounds, order.sources)
    })
  }

  private refuse(records: Restore['refused']): void {
    for (const { topic, partition, offset, deadLetter, error } of records) {
      const name = `${topic}/${partition}`
      const refused = this.refused.get(name) ?? new Map<number, Refusal>()
      this.refused.set(name, refused.set(offset, { deadLetter, error: receiveError(error) as DhaaraError }))
    }
  }

  /** Runs a slice, and sends parts that are complete. Returns how many records were processed. */
  private attempt(): number {
    const { group, transport } = this
    if (group === undefined || transport === undefined) return 0
    let n = 0
    this.guarded(transport.generation, () => {
      if (this.halted || this.held) {
        transport.receive()
        transport.flush()
      } else {
        group.tick()
        n = group.run(SLICE, TURN)
        if (n > 0 || this.outputs.written > 0 || this.outputs.waiting || (group.ended && !this.saidEnded))
          this.markDirty()
        this.progress?.tell(this.offsets)
        if (!this.saidPressed && group.pressed) {
          this.saidPressed = true
          this.report({ type: 'pressed', generation: transport.generation })
        }
      }
      this.handOver(group, transport)
    })
    return n
  }

  /** A sink is slow: what waits for it is to become less first. */
  private get held(): boolean {
    return Atomics.load(this.dirty, this.start.workers) === 1
  }

  private tellMeters(): void {
    const now = performance.now()
    if (this.group === undefined || now < this.metersDue) return
    this.metersDue = now + METERS
    this.report({ type: 'meters', tasks: this.group.report(this.start.worker), errors: this.policies.errors.all() })
  }

  private answer({ id, sub, partition, store, query }: Extract<Order, { type: 'query' }>): void {
    const { group } = this
    try {
      if (group === undefined) throw restoring('its tasks are being restored')
      const answer = packRaw(answerLatest(group, sub, partition, store, query))
      const report: Report = { type: 'answer', id, answer }
      this.port.postMessage(report, [answer.bytes, answer.lengths.buffer])
    } catch (error) {
      this.report({ type: 'answer', id, answer: { error: sendError(error) } })
    }
  }

  private markDirty(): void {
    Atomics.store(this.dirty, this.start.worker, 1)
    if (this.saidEnded || this.group?.ended !== true) return
    this.saidEnded = true
    this.report({ type: 'ended', generation: this.transport?.generation ?? 0 })
  }

  /** For tests: a worker that is held back seals only when two epochs are open. */
  private sealOrHold(order: Extract<Order, { type: 'seal' }>): void {
    this.sealsHeld.push(order)
    if (isHeld(this.start.worker) && !order.halt && this.sealsHeld.length < 2) return
    for (const one of this.sealsHeld.splice(0)) this.guarded(one.generation, () => this.seal(one))
  }

  private seal(order: Extract<Order, { type: 'seal' }>): void {
    const { group, progress, outputs } = this
    if (group === undefined || progress === undefined) return
    if (!this.halted) group.drain()
    failpoint('before-seal')
    const pack = new EpochPack()
    const { ended } = group
    const stats = progress.since(outputs.written)
    const epoch = group.seal(pack)
    this.sealed.push({ epoch, pack, frames: outputs.take(), ended, stats })
    outputs.written = 0
    this.saidPressed = false
    Atomics.store(this.dirty, this.start.worker, 0)
    if (order.halt) this.halted = true
    failpoint('after-seal')
  }

  /** Parts go in the order of their epochs, when all that was in flight has come. */
  private handOver(group: TaskGroup, transport: Transport): void {
    while (this.sealed.length > 0) {
      const { epoch, pack, frames, ended, stats } = this.sealed[0] as Sealed
      const inFlight = transport.complete(epoch)
      if (inFlight === undefined) return
      this.sealed.shift()
      group.sealLate(pack, inFlight)
      failpoint('before-part')
      const part: Part = { epoch, pack: pack.take(), frames, ended, stats }
      const transfer = [part.pack.memory, ...frames.map(({ frame }) => frame.buffer as ArrayBuffer)]
      this.port.postMessage({ type: 'part', generation: transport.generation, part } satisfies Report, transfer)
    }
  }

  /** What fails takes the group back: the owner decides how it goes on. */
  private guarded(generation: number, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.group = undefined
      const cause = error instanceof EpochAborted ? error.cause : error
      const kind = cause instanceof CarefulReplay ? 'careful' : cause instanceof RetryEpoch ? 'retry' : 'fail'
      const real = cause instanceof CarefulReplay || cause instanceof RetryEpoch ? cause.cause : cause
      this.report({ type: 'failed', generation, kind, error: sendError(real) })
    }
  }

  private bound(bounds: Bounds, sources: EndingSources): void {
    this.bounds = bounds
    if (sources === 'all') this.group?.endSources()
    else if (sources.length > 0) this.group?.endSources(sources)
    for (const task of this.group?.tasks ?? []) {
      for (const feed of task.parts.feeds) {
        if (!(feed instanceof TopicFeed)) continue
        const end = this.bounds.find(([topic, partition]) => topic === feed.topic && partition === feed.partition)
        if (end !== undefined) feed.until = end[2]
      }
    }
  }

  private nap(): number {
    if (this.halted || this.group === undefined) return NAP
    const now = systemClock.now()
    let due = now + NAP
    for (const task of this.group.tasks) due = Math.min(due, task.parts.wall.due)
    return Math.max(1, due - now)
  }

  private report(report: Report): void {
    this.port.postMessage(report)
  }

  private host(order: Restore): Host {
    const { log, settings, policies, reader, offsets } = this
    const end = (topic: string, partition: number) => offsets.end(topic, partition) ?? log.endOffset(topic, partition)
    return {
      ...hostParts(settings, policies, order.careful, 1 / this.start.workers),
      reader,
      outputs: this.outputs,
      storeId: (name) => this.ids.storeId(name),
      partitionsOf: (topic) => this.ids.partitionsOf(topic),
      topics: () => order.topics,
      fetch: (topic, partition, offset) =>
        offset < end(topic, partition) ? log.fetch(topic, partition, offset, FETCH_BYTES) : undefined,
      behind: (topic, partition, offset) => this.filling.has(topic) || end(topic, partition) > offset,
      startOffset: (source, topic, partition) => {
        const latest = order.latest.find(([name, p]) => name === topic && p === partition)
        return startOffsetOf(log, source, topic, partition, () => latest?.[2] ?? log.startOffset(topic, partition))
      },
      openSource: (spec, at, start) =>
        new SourceReader(spec, at, start, {
          clock: settings.clock,
          wake: () => this.bells.ring(this.start.worker),
          warn: (message, fields) => settings.logger.warn(fields ?? {}, message),
        }),
      wake: () => this.bells.ring(this.start.worker),
      working: (sub, partition) => {
        const { pulse } = this
        pulse[1] = sub + 1
        pulse[2] = partition
        Atomics.add(pulse, 0, 1)
      },
      refused: (topic, partition) => this.refused.get(`${topic}/${partition}`),
    }
  }
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
