import type { Outbox } from '../../connect/outbox.ts'
import type { MapAsync } from '../../operators/async/map-async.ts'
import type { PartialAggregate } from '../../operators/aggregate/partial-aggregate.ts'
import type { TaskMeter } from '../../metrics/task-meter.ts'
import type { SubTopology } from '../../plan/physical.ts'
import type { TaskClock } from '../../time/clock.ts'
import type { TaskTime } from '../../time/inputs.ts'
import type { WallClock } from '../../time/wall.ts'
import type { WallTime } from '../../time/wall-time.ts'
import type { DhaaraError } from '../../../errors/index.ts'
import { ChannelFeed, type Feed, InputFeed, TopicFeed } from '../inputs/feed.ts'
import type { Link } from '../channels/channel.ts'
import type { Backlog } from './backlog.ts'

export interface TaskParts {
  readonly sub: SubTopology
  readonly partition: number
  /** What was committed is the end of all inputs. */
  readonly finished: boolean
  readonly clock: TaskClock
  readonly time: TaskTime
  readonly wall: WallClock
  readonly wallTime: WallTime
  readonly feeds: Feed[]
  readonly backlog: Backlog
  /** The task that keeps the global tables which this one reads. */
  readonly keeper: Task | undefined
  /** Out of this task. */
  readonly channels: readonly Link[]
  /** Steps that wait for answers. */
  readonly asyncs: readonly MapAsync[]
  /** Of sinks of the user's own. */
  readonly outboxes: readonly Outbox[]
  /** First phases of aggregations: they hold nothing between two slices. */
  readonly partials: readonly PartialAggregate[]
  readonly end: () => void
  readonly close: () => DhaaraError[]
  readonly prefetch: (feed: Feed, from: number, to: number) => void
  readonly meter: TaskMeter
}

/** (sub-topology, partition): owns its stores and its clock, runs on one thread. */
export class Task {
  readonly id: string
  readonly parts: TaskParts
  processed = 0
  /** Of them, those that came from topics. */
  sourced = 0
  private readonly globals: readonly TopicFeed[]
  private waitingSince = Number.NaN
  /** Timestamp of what it did not process, since something older may come; NaN: it waits for nothing. */
  private heldBack = Number.NaN
  /** Its processors know that all inputs have ended. */
  finished: boolean
  private readonly echoes: boolean
  /** All inputs are to end: where a source's pattern finds no topic, there is none. */
  ending = false
  /** What channels that lead back were told last. */
  private outerTold: Told = { w: Number.NEGATIVE_INFINITY, idle: false, ended: false }

  constructor(parts: TaskParts) {
    this.finished = parts.finished
    this.id = `${parts.sub.id}_${parts.partition}`
    this.parts = parts
    this.echoes = parts.feeds.some(isEcho)
    this.globals = parts.feeds.filter((feed) => feed instanceof TopicFeed).filter(({ global }) => global)
  }

  /**
   * Processes up to about `limit` records of one slice. Where inputs meet in a stateful step, the slice comes from the
   * input with the lowest head and ends before another input's head comes; among equals the first input goes first.
   * @param idleFor how long to wait for an input that has more to come; 0: not at all
   * @returns how many records were processed; 0 also while waiting
   */
  run(limit: number, idleFor: number, now: number): number {
    const { feeds, sub } = this.parts
    this.heldBack = Number.NaN
    for (const feed of this.globals) {
      if (feed.ready()) return this.process(feed, Math.min(feed.batch.count, feed.cursor + limit), now)
      if (feed.more()) return 0
    }
    let best: Feed | undefined
    // the lowest heads of the feeds in front of the best one, and behind it: among equals the first feed goes first
    let before = Number.POSITIVE_INFINITY
    let behind = Number.POSITIVE_INFINITY
    for (const feed of feeds) {
      if (!feed.ready()) {
        // its producer may have gone on without sending: what others bring is processed with that W
        if (feed instanceof ChannelFeed) feed.settle()
        continue
      }
      if (best === undefined) best = feed
      else if (feed.head < best.head) {
        before = best.head
        behind = Number.POSITIVE_INFINITY
        best = feed
      } else if (feed.head < behind) behind = feed.head
    }
    if (best === undefined) {
      this.parts.meter.stall(undefined)
      return 0
    }
    const meeting = sub.inputsMeet && feeds.length > 1
    if (meeting && this.waits(best, idleFor, now)) {
      this.heldBack = best.head
      this.parts.meter.stall('waiting')
      return 0
    }
    const to = meeting ? sliceEnd(best, limit, before, behind) : Math.min(best.batch.count, best.cursor + limit)
    return this.process(best, to, now)
  }

  /** Its global tables have not been read as far as they go: everything else waits. */
  get reading(): boolean {
    for (const feed of this.globals) if (feed.ready() || feed.more()) return true
    return false
  }

  /** Moves what producers' watermarks, ends and idleness say on. Returns whether time moved. */
  settle(): boolean {
    let moved = false
    for (const feed of this.parts.feeds) if (feed instanceof ChannelFeed && feed.settle()) moved = true
    const { outerTold } = this
    this.announce()
    const { w, ended } = this.outerTold
    return moved || w !== outerTold.w || ended !== outerTold.ended
  }

  /** Takes in what asynchronous steps have got. Returns whether anything was. */
  deliver(): boolean {
    let moved = false
    for (const step of this.parts.asyncs) if (step.deliver()) moved = true
    return moved
  }

  /** Tells the channels this task's W, and its end. */
  announce(): void {
    const { clock, channels, time } = this.parts
    const { ended } = this
    if (!this.finished && ended) {
      this.finished = true
      this.parts.end()
    }
    const idle =
      time.inputs.some((input) => input.counted) && time.inputs.every((input) => !input.counted || input.idle)
    const own = { w: clock.w, idle, ended }
    const outer = this.echoes ? this.outer() : own
    if (this.echoes) this.outerTold = outer
    for (const channel of channels) tell(channel, channel.echo ? outer : own)
  }

  /** Time as the inputs from elsewhere have it: what this task sends to itself must not wait for itself. */
  private outer(): Told {
    const feeds = this.parts.feeds.filter((feed) => !isEcho(feed))
    const live = feeds.filter(({ time }) => time.counted && !time.idle && !time.ended)
    const ended = feeds.every((feed) => feed.time.ended && feed.cursor >= feed.batch.count)
    const w = live.length > 0 ? Math.min(...live.map(({ time }) => time.w)) : ended ? Number.POSITIVE_INFINITY : null
    return { w: w ?? this.parts.clock.w, idle: live.length === 0 && !ended, ended }
  }

  /** All inputs have ended and were processed. */
  get ended(): boolean {
    const { feeds } = this.parts
    if (feeds.length === 0) return this.ending
    return feeds.every(
      (feed) => (feed.time.ended || (isEcho(feed) && !feed.time.counted)) && feed.cursor >= feed.batch.count,
    )
  }

  /** Nothing of it comes from topics. */
  get relays(): boolean {
    return this.parts.feeds.length > 0 && this.parts.feeds.every((feed) => feed instanceof ChannelFeed)
  }

  /** Something older may come: an input has more. */
  get waiting(): boolean {
    return !Number.isNaN(this.waitingSince)
  }

  /** Asked before a slice, never within it. */
  get roomy(): boolean {
    for (const channel of this.parts.channels) {
      if (channel.roomy) continue
      this.parts.meter.stall('blocked')
      return false
    }
    return true
  }

  /** Has those who send wait, where enough waits here. @param idle it was not this task's turn */
  limit(idle: boolean): void {
    const { backlog, feeds } = this.parts
    const at = idle ? Number.NaN : this.heldBack
    backlog.limit(() => (Number.isNaN(at) ? [] : feeds.filter((feed) => !feed.ready() && feed.more(at))))
  }

  private process(feed: Feed, to: number, now: number): number {
    const from = feed.cursor
    this.finished = false
    this.parts.meter.stall(undefined)
    if (feed.time.idle) feed.time.setIdle(false)
    if (feed instanceof InputFeed) {
      feed.touched = true
      feed.activeAt = now
      this.sourced += to - from
    }
    const { meter } = this.parts
    const timed = meter.begin(feed.step.id)
    this.parts.prefetch(feed, from, to)
    if (meter.on) feed.timed(feed.batch, from, to, feed.time)
    else feed.run(feed.batch, from, to, feed.time)
    for (const partial of this.parts.partials) partial.flush()
    meter.end(feed.step.id, timed, to - from)
    feed.cursor = to
    this.processed += to - from
    this.announce()
    return to - from
  }

  /** Is there an input that may still bring something older than what is at hand? */
  private waits(best: Feed, idleFor: number, now: number): boolean {
    const more = idleFor > 0 && this.parts.feeds.some((feed) => feed !== best && !feed.ready() && feed.more(best.head))
    if (!more) {
      this.waitingSince = Number.NaN
      return false
    }
    if (Number.isNaN(this.waitingSince)) this.waitingSince = now
    return now - this.waitingSince < idleFor
  }
}

interface Told {
  readonly w: number
  readonly idle: boolean
  readonly ended: boolean
}

function tell(channel: Link, { w, idle, ended }: Told): void {
  if (channel.announce !== undefined) {
    channel.announce(w, idle, ended)
    return
  }
  channel.w = w
  channel.idle = idle
  channel.ended = ended
}

const isEcho = (feed: Feed): boolean => feed instanceof ChannelFeed && feed.echo

/** Up to the first record that another input's head comes before. */
function sliceEnd(feed: Feed, limit: number, before: number, behind: number): number {
  const { timestamps, count } = feed.batch
  const most = Math.min(count, feed.cursor + limit)
  let to = feed.cursor
  for (; to < most; to++) {
    const ts = timestamps[to] as number
    if (ts >= before || ts > behind) break
  }
  return Math.max(to, feed.cursor + 1)
}

export { TopicFeed }
