import type { EmbeddedLease } from '../../connectors/broker/broker.ts'
import { SourceReader } from '../connect/source-reader.ts'
import { mergeErrors } from '../metrics/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { answerLatest, type Applied, type AskOwner, type Changes, type Progress } from '../query/index.ts'
import { EpochAborted } from '../runtime/failures/errors.ts'
import { Replays } from '../runtime/failures/replays.ts'
import { TopicFeed } from '../runtime/inputs/feed.ts'
import { TaskGroup } from '../runtime/tasks/group.ts'
import { Work } from '../runtime/tasks/work.ts'
import type { Host, TaskId } from '../runtime/host.ts'
import { type OutputFrame, Outputs } from '../runtime/outputs.ts'
import type { Engine, EngineEvents, EngineMeters, EngineReport } from './engine.ts'
import { EpochWriter } from './epochs/epoch-writer.ts'
import { hostParts } from './settings/host-parts.ts'
import type { StoreIds } from './state/identity.ts'
import { inputTopics } from './topics/inputs.ts'
import { NewTopics } from './topics/new-topics.ts'
import type { Settings } from './settings/options.ts'
import { Policies } from './settings/policies.ts'
import { startOffsetOf } from './topics/start-offset.ts'

/** Records between two looks at the clock and at the event loop. */
const SLICE = 8192
/** The same in milliseconds, where records take long. */
const TURN = 10
/** The same while somebody asks: who asks waits for a turn. */
const TURN_ASKED = 2
const FETCH_BYTES = 1 << 20

/** All tasks in the calling thread. */
export class LocalEngine implements Engine {
  private readonly plan: PhysicalPlan
  private readonly settings: Settings
  private readonly lease: EmbeddedLease
  private readonly ids: StoreIds
  private readonly events: EngineEvents
  private readonly policies: Policies
  private readonly newTopics: NewTopics
  private readonly writer: EpochWriter
  private readonly latest = new Map<string, number>()
  /** Sources by pattern have more to read. */
  private widening = false
  readonly partitions: readonly number[]
  private readonly bounded = new Set<string>()
  /** Sources of the user's own that are to end where they end. */
  private endingSources: readonly string[] | 'all' = []
  /** What stops the app from outside of the tasks. */
  private refused: unknown
  private filling: ReadonlySet<string> = new Set()
  private outputs: Outputs
  private group: TaskGroup
  private readonly work = new Work()
  private readonly replays = new Replays()
  private epoch = 1
  private committedAt = 0
  private wanted = false
  private asked = false
  private written = 0
  private stopping = false
  private failure: unknown = undefined
  private wake: () => void = () => {}
  private running: Promise<void> = Promise.resolve()

  /** @param partitions of each sub-topology */
  constructor(
    plan: PhysicalPlan,
    partitions: readonly number[],
    settings: Settings,
    lease: EmbeddedLease,
    ids: StoreIds,
    events: EngineEvents,
  ) {
    this.plan = plan
    this.partitions = partitions
    this.settings = settings
    this.lease = lease
    this.ids = ids
    this.events = events
    this.newTopics = new NewTopics(plan, lease, partitions, settings.logger)
    this.policies = new Policies(
      settings,
      () => this.outputs,
      // a source that is no topic has no log
      (topic, partition, offset) =>
        lease.log.topic(topic) === undefined ? undefined : lease.log.fetch(topic, partition, offset, 1),
    )
    this.writer = new EpochWriter(plan, partitions, inputTopics(plan, lease), settings, lease, ids, events, {
      ahead: 0,
      wanted: () => {
        this.wanted = true
        this.wake()
      },
      wake: () => this.wake(),
      failed: (error) => {
        this.refused ??= error
        this.wake()
      },
    })
    this.outputs = this.newOutputs()
    this.group = this.newGroup()
    this.applied.committed(this.progress(0))
    this.meters = {
      tasks: () => this.group.report(),
      errors: () => mergeErrors([this.policies.errors.all()]),
      latency: this.writer.latency,
    }
  }

  async start(): Promise<void> {
    const { latency } = this.writer
    const appended = this.lease.log.onAppend((all) => {
      latency.appended(all)
      if (this.endingSources !== 'all' && this.newTopics.among(all)) this.widening = true
      this.wake()
    })
    this.committedAt = this.settings.clock.now()
    this.writer.deliveries.start()
    this.running = this.loop()
      .catch(async (error: unknown) => {
        this.failure = error
        this.group.abandon()
        await this.writer.deliveries.end()
        this.events.failed(error)
      })
      .finally(() => {
        appended[Symbol.dispose]()
        return this.writer.stop()
      })
  }

  async stop(timeout?: number): Promise<void> {
    this.stopping = true
    this.wake()
    await this.running
    this.closeGroup()
    if (this.failure === undefined) await this.writer.deliveries.stop(timeout)
    this.failure ??= this.refused
    if (this.failure !== undefined) throw this.failure
  }

  /** What these topics hold now is all they will: they are bounded inputs. */
  endInputs(topics?: readonly string[]): void {
    for (const feed of this.feeds())
      if (topics === undefined || topics.includes(feed.topic)) this.bounded.add(feed.topic)
    if (topics === undefined) this.endingSources = 'all'
    else if (this.endingSources !== 'all') this.endingSources = [...this.endingSources, ...topics]
    this.boundFeeds()
    this.wake()
  }

  fillInputs(topics: readonly string[]): void {
    this.filling = new Set(topics)
    this.wake()
  }

  positionOf(topic: string, partition: number): number | undefined {
    let lowest: number | undefined
    for (const feed of this.feeds()) {
      if (feed.topic !== topic || feed.partition !== partition) continue
      if (lowest === undefined || feed.position < lowest) lowest = feed.position
    }
    return lowest
  }

  get changes(): Changes {
    return this.writer.changes
  }

  get applied(): Applied {
    return this.writer.applied
  }

  /** How far the tasks are. Asked where nothing is unwritten. */
  private progress(epoch: number): Progress {
    const positions = this.feeds().map(({ topic, partition, position }) => [topic, partition, position] as const)
    return { epoch, positions, flows: this.group.flows() }
  }

  readonly ask: AskOwner = (layout, partition, query) =>
    answerLatest(this.group, layout.sub, partition, layout.name, query)

  report(): EngineReport {
    const { counters, watermark } = this.group
    return {
      recordsIn: this.work.processed,
      recordsOut: this.written + this.outputs.written,
      counters: counters.counts(),
      epochs: this.epoch - 1,
      watermark,
    }
  }

  readonly meters: EngineMeters

  get tasks(): TaskGroup {
    return this.group
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      if (this.refused !== undefined) throw this.refused
      if (this.writer.deliveries.full) {
        this.commitIfDue()
        await this.rest()
        continue
      }
      if (this.widening) this.widen()
      const n = this.attempt()
      if (n < 0) await this.pause(this.replays.delay)
      if (this.group.ended) {
        this.commit()
        await this.writer.deliveries.drained()
        if (this.refused !== undefined) throw this.refused
        this.events.ended()
        return
      }
      if (n !== 0) await breathe()
      else await this.rest()
    }
    this.commit()
  }

  heed(): void {
    this.asked = true
  }

  /** Where a partition ended at the start: tasks that are made anew before an epoch was written must not skip what has come since. */
  private latestAt(topic: string, partition: number): number {
    const name = `${topic}/${partition}`
    const known = this.latest.get(name) ?? this.lease.log.endOffset(topic, partition)
    this.latest.set(name, known)
    return known
  }

  /** Between two epochs, tasks are made anew. */
  private widen(): void {
    this.widening = false
    this.commit()
    this.closeGroup()
    this.outputs = this.newOutputs()
    this.group = this.newGroup()
    this.boundFeeds()
  }

  private closeGroup(): void {
    for (const error of this.group.close()) this.settings.logger.error({ err: error, code: error.code }, error.message)
  }

  /** One slice of work, and the checkpoint if it is due. What a policy wants tried again is. */
  private attempt(): number {
    try {
      const n = this.work.slice(this.group, SLICE, this.asked ? TURN_ASKED : TURN)
      this.asked = false
      if (this.group.pressed) {
        this.commit()
        // it stopped before it was done
        return Math.max(n, 1)
      }
      this.commitIfDue()
      return n
    } catch (error) {
      this.recover(error)
      return -1
    }
  }

  private commitIfDue(): void {
    if (this.dirty && this.settings.clock.now() - this.committedAt >= this.settings.interval) this.commit()
  }

  private recover(error: unknown): void {
    const cause = error instanceof EpochAborted ? error.cause : error
    this.replays.note(cause)
    this.settings.logger.warn({ error: String(cause) }, 'the epoch is taken back and replayed')
    this.work.takeBack()
    this.outputs = this.newOutputs()
    this.group.abandon()
    this.group = this.newGroup()
    this.applied.begunAnew()
    this.boundFeeds()
  }

  private get dirty(): boolean {
    return this.wanted || this.work.unsealed || this.outputs.written > 0 || this.outputs.waiting
  }

  private commit(): void {
    const { outputs, writer } = this
    let epoch = this.epoch
    let frames: readonly OutputFrame[] = []
    writer.write(
      (sealer) => {
        epoch = this.group.seal(sealer)
      },
      () => (frames = outputs.take()),
    )
    outputs.release(frames)
    this.group.written(epoch)
    this.epoch = epoch + 1
    this.written += outputs.written
    outputs.written = 0
    this.work.seal()
    this.work.committed()
    this.committedAt = this.settings.clock.now()
    this.wanted = false
    this.replays.succeeded()
    writer.committed(this.progress(epoch))
  }

  /** Until something is appended, or the clock makes something due. */
  private rest(): Promise<void> {
    const { clock, interval } = { clock: this.settings.clock, interval: this.settings.interval }
    const now = clock.now()
    const due = Math.min(
      now + 100,
      this.dirty ? this.committedAt + interval : Number.POSITIVE_INFINITY,
      ...this.group.tasks.map((task) => task.parts.wall.due),
    )
    return new Promise((resolve) => {
      const timer = clock.setTimer(Math.max(now + 1, due), () => this.wake())
      this.wake = () => {
        timer[Symbol.dispose]()
        this.wake = () => {}
        resolve()
      }
      if (this.stopping) this.wake()
    })
  }

  private pause(ms: number): Promise<void> {
    const { clock } = this.settings
    return new Promise((resolve) => void clock.setTimer(clock.now() + ms, resolve))
  }

  private feeds(): TopicFeed[] {
    return this.group.feeds(TopicFeed)
  }

  private boundFeeds(): void {
    if (this.endingSources === 'all') this.group.endSources()
    else if (this.endingSources.length > 0) this.group.endSources(this.endingSources)
    for (const feed of this.feeds())
      if (this.bounded.has(feed.topic)) feed.until = this.lease.log.endOffset(feed.topic, feed.partition)
  }

  private newOutputs(): Outputs {
    return new Outputs((topic) => this.lease.ensureTopic(topic).partitions)
  }

  private newGroup(): TaskGroup {
    const tasks: TaskId[] = this.plan.subs.flatMap(({ id }) =>
      Array.from({ length: this.partitions[id] as number }, (_, partition) => ({ sub: id, partition })),
    )
    return new TaskGroup(this.plan, this.partitions, tasks, this.host(), this.epoch)
  }

  private host(): Host {
    const { lease, settings, policies, ids } = this
    const { log } = lease
    return {
      ...hostParts(settings, policies, this.replays.careful),
      reader: lease.backend,
      outputs: this.outputs,
      storeId: (name) => ids.idOf(name),
      partitionsOf: (topic) => lease.ensureTopic(topic).partitions,
      topics: () => this.newTopics.readable,
      fetch: (topic, partition, offset) => log.fetch(topic, partition, offset, FETCH_BYTES),
      behind: (topic, partition, offset) => this.filling.has(topic) || log.endOffset(topic, partition) > offset,
      startOffset: (source, topic, partition) =>
        startOffsetOf(log, source, topic, partition, () => this.latestAt(topic, partition)),
      openSource: (spec, at, start) =>
        new SourceReader(spec, at, start, {
          clock: settings.clock,
          wake: () => this.wake(),
          warn: (message, fields) => settings.logger.warn(fields ?? {}, message),
        }),
      wake: () => this.wake(),
    }
  }
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
