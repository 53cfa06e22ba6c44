import { encodeValue } from '../../../state/codec/index.ts'
import { type Sealer, statePrefix } from '../../../state/stores/index.ts'
import { OwnFeed } from '../../connect/source-feed.ts'
import type { PhysicalPlan, SubTopology } from '../../plan/physical.ts'
import type { TaskTime } from '../../time/inputs.ts'
import { type ChannelCodec, channelCodec } from '../channels/channel-codec.ts'
import { ChannelFeed, type Feed, TopicFeed } from '../inputs/feed.ts'
import type { Host } from '../host.ts'
import { framesOf, type InFlight, putBack } from '../channels/in-flight.ts'
import type { Task } from './task.ts'
import { AheadRows, type Waiting } from './ahead-rows.ts'
import { InFlightRows, shares } from './in-flight-rows.ts'
import { abandoned, adopted, savedMeta, type TaskMeta } from './task-meta.ts'

/** Its id is the app's own, as those of its other stores: apps may share one database. */
export const TASKS = '$tasks'

type RowCounts = NonNullable<TaskMeta['rows']>

/** The rows in which tasks say, with each epoch, how far they are and what was on its way to them. */
export class TaskRows {
  private readonly plan: PhysicalPlan
  private readonly host: Host
  private readonly codecs: readonly ChannelCodec[]
  /** By task. */
  private readonly ahead = new Map<string, AheadRows>()
  private readonly held = new InFlightRows('held')
  private readonly late = new InFlightRows('late')
  /** Rows of tasks that an earlier version of the topology had: they go with the first epoch. */
  private readonly gone: Uint8Array[] = []

  constructor(plan: PhysicalPlan, host: Host) {
    this.plan = plan
    this.host = host
    this.codecs = plan.repartitions.map(channelCodec)
  }

  /** @param counts rows of its stores */
  seal(sealer: Sealer, task: Task, epoch: number, counts: RowCounts): void {
    const { sub, partition } = task.parts
    const prefix = this.metaPrefix(sub, partition)
    const inFlight = this.aheadOf(task.id).seal(sealer, prefix, sub.name, this.waiting(task))
    sealer.put(this.metaKey(sub, partition), encodeValue(this.meta(task, epoch, counts, inFlight)))
    this.held.seal(sealer, prefix, sub.name, task.id, [])
    for (const key of this.gone.splice(0)) sealer.delete(key)
  }

  /** Behind `seal`, once it is known: what was in flight from other threads, by channel. */
  sealLate(sealer: Sealer, { id, parts }: Task, frames: ReadonlyMap<number, readonly Uint8Array[]>): void {
    const { sub, partition, feeds } = parts
    const inFlight: InFlight[] = []
    for (const feed of feeds) {
      if (!(feed instanceof ChannelFeed) || feed.slot === undefined) continue
      const found = frames.get(feed.slot)
      if (found !== undefined) inFlight.push({ feed: feed.name, base: 0, frames: found })
    }
    this.late.seal(sealer, this.metaPrefix(sub, partition), sub.name, id, shares(inFlight))
  }

  /** How a task stands as it is sealed. */
  private meta(task: Task, epoch: number, rows: RowCounts, inFlight: readonly InFlight[]): TaskMeta {
    const { feeds, clock } = task.parts
    const positions = feeds.flatMap((feed) =>
      feed instanceof TopicFeed ? [[feed.step.name, feed.topic, feed.partition, feed.position] as const] : [],
    )
    const sources = feeds.flatMap((feed) =>
      feed instanceof OwnFeed ? [[feed.source, feed.partition, feed.seal(epoch)] as const] : [],
    )
    return {
      positions,
      ...(sources.length === 0 ? {} : { sources }),
      clock: {
        w: clock.kept,
        streamTime: clock.streamTime,
        wall: task.parts.wallTime.clock.kept,
        ...(clock.former === undefined ? {} : { former: clock.former.all }),
      },
      times: Object.fromEntries(
        feeds.map(({ name, time: { w, max, idle } }) => [
          name,
          { w: w === Number.POSITIVE_INFINITY ? clock.kept : w, max, idle },
        ]),
      ),
      finished: task.finished,
      rows,
      inFlight,
    }
  }

  private waiting({ parts }: Task): Waiting[] {
    return parts.feeds
      .filter((feed) => feed instanceof ChannelFeed)
      .map((feed) => ({
        feed: feed.name,
        head: feed.arrived - feed.backlog,
        tail: feed.arrived,
        frames: (from) => framesOf(feed.waiting(from), this.codecs[feed.channel.repartition.id] as ChannelCodec),
      }))
  }

  private aheadOf(task: string): AheadRows {
    let rows = this.ahead.get(task)
    if (rows === undefined) this.ahead.set(task, (rows = new AheadRows()))
    return rows
  }

  /** Watermarks and what was in flight, as they were when the epoch was sealed. */
  resume(
    feeds: readonly Feed[],
    time: TaskTime,
    sub: SubTopology,
    partition: number,
    saved: TaskMeta | undefined,
  ): void {
    if (saved === undefined) return
    for (const feed of feeds) Object.assign(feed.time, saved.times[feed.name])
    time.arrange()
    for (const inFlight of saved.inFlight) {
      const feed = feeds.find(({ name }) => name === inFlight.feed)
      if (!(feed instanceof ChannelFeed)) continue
      const codec = this.codecs[feed.channel.repartition.id] as ChannelCodec
      putBack(inFlight, codec, feed.channel)
    }
  }

  private metaKey(sub: SubTopology, partition: number): Buffer {
    return Buffer.concat([this.metaPrefix(sub, partition), Buffer.from(sub.name)])
  }

  private metaPrefix(sub: SubTopology, partition: number): Buffer {
    return statePrefix(this.host.storeId(TASKS, sub.id), partition)
  }

  saved(sub: SubTopology, partition: number): TaskMeta | undefined {
    const { reader } = this.host
    const bytes = reader.get(this.metaKey(sub, partition))
    const prefix = this.metaPrefix(sub, partition)
    for (const key of abandoned(reader, prefix, this.plan.subs)) this.gone.push(key)
    if (bytes === undefined) return adopted(reader, prefix, sub)
    const task = `${sub.id}_${partition}`
    for (const rows of [this.held, this.late]) rows.find(reader, prefix, sub.name, task)
    this.aheadOf(task).find(reader, prefix, sub.name)
    return savedMeta(reader, prefix, sub.name, bytes)
  }
}
