import type { PositionedPartition, RemoteReader } from '../../../connectors/broker/remote.ts'
import type { Policies } from '../../app/settings/policies.ts'
import { OwnFeed } from '../../connect/source-feed.ts'
import { TopicFeed } from '../../runtime/inputs/feed.ts'
import { TaskGroup } from '../../runtime/tasks/group.ts'
import type { Host, TaskId } from '../../runtime/host.ts'
import { Outputs } from '../../runtime/outputs.ts'
import { ChangelogFrames, ChangelogRows } from '../state/changelog.ts'
import { inletPosition } from '../state/inlets.ts'
import { Inputs, type Offsets, ownEnd, positionName } from '../inputs.ts'
import { KeptSources } from './kept-sources.ts'
import { KnownTopics } from '../topics/known-topics.ts'
import type { LocalRows } from '../state/local-state.ts'
import { remoteHost } from './remote-host.ts'
import type { RunnerParts } from './runner-parts.ts'
import type { Assignment } from './task-runner.ts'
import { TopicLinks } from './topic-links.ts'

/** Bytes of outputs that may wait for the epoch before them to be committed. */
const MOST_WAITING = 64 << 20

/** The tasks that a runner has, made from what is written of them: after an assignment, and when an epoch is taken back. */
export class RunnerTasks {
  ids: readonly TaskId[] = []
  group: TaskGroup | undefined
  links: TopicLinks | undefined
  outputs: Outputs
  /** Channels that had ended when the last epoch was sealed that is committed. */
  ended: ReadonlySet<number> = new Set()
  readonly committed = new Map<string, number>()
  readonly known = new KnownTopics()
  private readonly parts: RunnerParts
  private readonly local: LocalRows
  private readonly policies: () => Policies
  private readonly reader: RemoteReader
  private readonly wake: () => void
  private topics:
    | { readonly inputs: Inputs; readonly rows: ChangelogRows; readonly frames: ChangelogFrames }
    | undefined
  private readonly starts = new Map<string, number>()
  private ends: Offsets = new Map()
  private filling: ReadonlySet<string> = new Set()
  private readonly kept = new KeptSources()

  constructor(parts: RunnerParts, local: LocalRows, reader: RemoteReader, policies: () => Policies, wake: () => void) {
    this.parts = parts
    this.local = local
    this.reader = reader
    this.policies = policies
    this.wake = wake
    this.outputs = this.newOutputs()
  }

  /** Known from the first assignment on. */
  get inputs(): Inputs {
    return (this.topics as NonNullable<typeof this.topics>).inputs
  }

  get rows(): ChangelogRows {
    return (this.topics as NonNullable<typeof this.topics>).rows
  }

  get frames(): ChangelogFrames {
    return (this.topics as NonNullable<typeof this.topics>).frames
  }

  /** They have sent or noted what is to be committed, whether or not an input has moved. */
  get haveNews(): boolean {
    const { outputs, links } = this
    return outputs.written > 0 || outputs.waiting || links?.news === true
  }

  /** So much waits to be committed that no more can be worked on. */
  get full(): boolean {
    return this.outputs.bytes > MOST_WAITING || this.group?.full === true
  }

  /** What they are to be; `build` makes them. */
  take({ tasks, topics, positions, ends }: Assignment): void {
    const { app, plan, ids } = this.parts
    const rows = new ChangelogRows(topics.changelogs, ids)
    this.topics = { inputs: new Inputs(app, plan, topics), rows, frames: new ChangelogFrames(rows) }
    for (const [name, offset] of positions.committed) this.committed.set(name, offset)
    for (const [name, offset] of positions.starts) this.starts.set(name, offset)
    this.ends = ends
    this.ids = tasks
  }

  /**
   * @param careful copy what user code may change
   * @param whole all that was processed is committed: sources of tasks that stay go on as they are
   */
  build(epoch: number, careful: boolean, whole: boolean): void {
    const { app, plan, settings } = this.parts
    const { inputs, rows, ids } = this
    const { partitions } = inputs.topics
    const before = this.feeds()
    if (whole) this.keepSources()
    this.close()
    this.known.check(ids, inputs, rows, this.local.backend)
    if (ids.length > 0) {
      if (plan.repartitions.length > 0) {
        const position = (topic: string, partition: number) => this.inletPosition(topic, partition)
        const now = () => settings.clock.now()
        this.links = new TopicLinks(app, plan, partitions, this.outputs, this.reader, position, now, this.ended)
      }
      this.group = new TaskGroup(plan, partitions, ids, this.host(careful), epoch, this.links)
    }
    this.kept.close()
    const reading = new Set(this.feeds().map(positionName))
    for (const feed of before) if (!reading.has(positionName(feed))) this.reader.remove(feed.topic, feed.partition)
    this.bound(this.ends)
  }

  /** Nothing is left of them. */
  drop(): void {
    this.kept.close()
    for (const { topic, partition } of this.feeds()) this.reader.remove(topic, partition)
    this.close()
    this.ids = []
    this.ended = new Set()
    this.committed.clear()
    this.starts.clear()
  }

  close(): void {
    this.group?.close()
    this.links?.close()
    this.group = undefined
    this.links = undefined
    this.outputs = this.newOutputs()
  }

  bound(ends: Offsets): void {
    this.ends = ends
    for (const feed of this.feeds()) feed.until = ends.get(positionName(feed)) ?? feed.until
    for (const feed of this.group?.feeds(OwnFeed) ?? []) if (ends.has(ownEnd(feed.source))) feed.endInput()
  }

  fill(topics: readonly string[]): void {
    this.filling = new Set(topics)
  }

  positionOf(topic: string, partition: number): number | undefined {
    return this.feeds().find((feed) => feed.topic === topic && feed.partition === partition)?.position
  }

  /**
   * No input has moved: sources that are no topics have, or timers, or sinks. The group is told a position all the same, since
   * that is where it refuses whoever has lost the tasks: how far the first task's own topic goes.
   */
  standIn(): PositionedPartition[] {
    const { topics } = this.inputs
    const [task] = this.ids
    const own = topics.changelogs.find(({ sub, store }) => store === undefined && sub === task?.sub)
    if (task === undefined || own === undefined) return []
    const { topic } = own
    const offset = this.local.position(topic, task.partition)?.offset ?? 0
    return [{ topic, partition: task.partition, offset }]
  }

  private keepSources(): void {
    for (const { parts } of this.group?.tasks ?? []) {
      if (!this.ids.some(({ sub, partition }) => sub === parts.sub.id && partition === parts.partition)) continue
      for (const feed of parts.feeds) if (feed instanceof OwnFeed) this.kept.keep(feed)
    }
  }

  private inletPosition(topic: string, partition: number): number {
    const inlet = { sub: this.inputs.readerOf(topic), topic, partition }
    return (
      inletPosition(this.local.backend, this.rows, inlet) ?? this.starts.get(positionName({ topic, partition })) ?? 0
    )
  }

  private feeds(): TopicFeed[] {
    return this.group?.feeds(TopicFeed) ?? []
  }

  private newOutputs(): Outputs {
    return new Outputs((topic) => this.inputs.partitionsOf(topic), { checksum: false })
  }

  private host(careful: boolean): Host {
    return remoteHost({
      settings: this.parts.settings,
      policies: this.policies(),
      careful,
      rows: this.rows,
      inputs: this.inputs,
      local: this.local.backend,
      outputs: this.outputs,
      reader: this.reader,
      starts: this.starts,
      filling: (topic) => this.filling.has(topic),
      kept: this.kept,
      wake: this.wake,
    })
  }
}
