import type { EmbeddedLease } from '../../../connectors/broker/broker.ts'
import { SourceReader } from '../../connect/source-reader.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import type { Progress } from '../../query/index.ts'
import type { Host, TaskId } from '../../runtime/host.ts'
import { TopicFeed } from '../../runtime/inputs/feed.ts'
import { Outputs } from '../../runtime/outputs.ts'
import { TaskGroup } from '../../runtime/tasks/group.ts'
import { hostParts } from '../settings/host-parts.ts'
import type { Settings } from '../settings/options.ts'
import { Policies } from '../settings/policies.ts'
import type { StoreIds } from '../state/identity.ts'
import type { NewTopics } from '../topics/new-topics.ts'
import { startOffsetOf } from '../topics/start-offset.ts'

const FETCH_BYTES = 1 << 20

export interface LocalTasksParts {
  readonly plan: PhysicalPlan
  /** Of each sub-topology. */
  readonly partitions: readonly number[]
  readonly settings: Settings
  readonly lease: EmbeddedLease
  readonly ids: StoreIds
  readonly newTopics: NewTopics
  /** A source that is no topic has more. */
  readonly wake: () => void
}

/** All tasks of an app, made from what is written of them, and where their inputs begin and end. */
export class LocalTasks {
  readonly policies: Policies
  private readonly parts: LocalTasksParts
  private epochOutputs: Outputs
  private running: TaskGroup
  /** Where partitions ended at the start. */
  private readonly latest = new Map<string, number>()
  private readonly bounded = new Set<string>()
  /** Sources of the user's own that are to end where they end. */
  private endingSources: readonly string[] | 'all' = []
  private filling: ReadonlySet<string> = new Set()

  constructor(parts: LocalTasksParts) {
    const { settings, lease } = parts
    this.parts = parts
    this.policies = new Policies(
      settings,
      () => this.outputs,
      // a source that is no topic has no log
      (topic, partition, offset) =>
        lease.log.topic(topic) === undefined ? undefined : lease.log.fetch(topic, partition, offset, 1),
    )
    this.epochOutputs = this.newOutputs()
    this.running = this.newGroup(1, false)
  }

  get group(): TaskGroup {
    return this.running
  }

  get outputs(): Outputs {
    return this.epochOutputs
  }

  /** The inputs are all to end: no new ones are looked for. */
  get ending(): boolean {
    return this.endingSources === 'all'
  }

  /** Anew. @param careful copy what user code may change */
  build(epoch: number, careful: boolean): void {
    this.epochOutputs = this.newOutputs()
    this.running = this.newGroup(epoch, careful)
    this.bound()
  }

  close(): void {
    const { logger } = this.parts.settings
    for (const error of this.group.close()) logger.error({ err: error, code: error.code }, error.message)
  }

  /** What these topics hold now (default: all that are read) is all they will: they are bounded inputs. */
  endInputs(topics?: readonly string[]): void {
    for (const { topic } of this.feeds()) if (topics === undefined || topics.includes(topic)) this.bounded.add(topic)
    if (topics === undefined) this.endingSources = 'all'
    else if (this.endingSources !== 'all') this.endingSources = [...this.endingSources, ...topics]
    this.bound()
  }

  fill(topics: readonly string[]): void {
    this.filling = new Set(topics)
  }

  positionOf(topic: string, partition: number): number | undefined {
    let lowest: number | undefined
    for (const feed of this.feeds()) {
      if (feed.topic !== topic || feed.partition !== partition) continue
      if (lowest === undefined || feed.position < lowest) lowest = feed.position
    }
    return lowest
  }

  /** How far they are. Asked where nothing is unwritten. */
  progress(epoch: number): Progress {
    const positions = this.feeds().map(({ topic, partition, position }) => [topic, partition, position] as const)
    return { epoch, positions, flows: this.group.flows() }
  }

  private feeds(): TopicFeed[] {
    return this.group.feeds(TopicFeed)
  }

  private bound(): void {
    if (this.endingSources === 'all') this.group.endSources()
    else if (this.endingSources.length > 0) this.group.endSources(this.endingSources)
    const { log } = this.parts.lease
    for (const feed of this.feeds())
      if (this.bounded.has(feed.topic)) feed.until = log.endOffset(feed.topic, feed.partition)
  }

  /** Tasks that are made anew before an epoch was written must not skip what has come since the start. */
  private latestAt(topic: string, partition: number): number {
    const name = `${topic}/${partition}`
    const known = this.latest.get(name) ?? this.parts.lease.log.endOffset(topic, partition)
    this.latest.set(name, known)
    return known
  }

  private newOutputs(): Outputs {
    return new Outputs((topic) => this.parts.lease.ensureTopic(topic).partitions)
  }

  private newGroup(epoch: number, careful: boolean): TaskGroup {
    const { plan, partitions } = this.parts
    const tasks: TaskId[] = plan.subs.flatMap(({ id }) =>
      Array.from({ length: partitions[id] as number }, (_, partition) => ({ sub: id, partition })),
    )
    return new TaskGroup(plan, partitions, tasks, this.host(careful), epoch)
  }

  private host(careful: boolean): Host {
    const { lease, settings, ids, newTopics, wake } = this.parts
    const { log } = lease
    return {
      ...hostParts(settings, this.policies, careful),
      reader: lease.backend,
      outputs: this.outputs,
      storeId: (name) => ids.idOf(name),
      partitionsOf: (topic) => lease.ensureTopic(topic).partitions,
      topics: () => newTopics.readable,
      fetch: (topic, partition, offset) => log.fetch(topic, partition, offset, FETCH_BYTES),
      behind: (topic, partition, offset) => this.filling.has(topic) || log.endOffset(topic, partition) > offset,
      startOffset: (source, topic, partition) =>
        startOffsetOf(log, source, topic, partition, () => this.latestAt(topic, partition)),
      openSource: (spec, at, start) =>
        new SourceReader(spec, at, start, {
          clock: settings.clock,
          wake,
          warn: (message, fields) => settings.logger.warn(fields ?? {}, message),
        }),
      wake,
    }
  }
}
