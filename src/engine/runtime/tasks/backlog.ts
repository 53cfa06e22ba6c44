import { roughBytes } from '../../../state/stores/index.ts'
import { apart, type TaskNames } from '../channels/upstream.ts'
import { ChannelFeed, type Feed } from '../inputs/feed.ts'

/** What may wait for a task before those who bring it are to wait, too. */
export interface BacklogLimit {
  readonly records: number
  /** About, as they would be encoded. */
  readonly bytes: number
}

export const usualLimit: BacklogLimit = { records: 16_384, bytes: 8 << 20 }
/** So many times that, where a task waits for one producer with what others have brought. */
export const forOthers = 4

/** Of a record besides its value. */
const perRecord = 64

interface Bringer {
  readonly feed: ChannelFeed
  readonly upstream: TaskNames
  /** Rough bytes a record. */
  mean: number
}

/**
 * Bounds what waits for a task in memory. Channels have no end: a task that is slower than those who send to it, or that waits
 * for an input while the others go on, would be sent all that there is. When enough waits, they are held: their producers begin
 * no slice, so that what they read from fills up in turn, back to the topics.
 *
 * A task that works, or has no room where it sends to, will go on by itself: all that bring more are held. One that waits holds
 * those alone that are ahead of what it waits for, and have no source in common with it: what it waits for may come by way of
 * the others. Ahead is who has the higher W, so that no two tasks hold, of two producers, each the one that the other needs.
 * What leads back to the task itself is never held.
 */
export class Backlog {
  private readonly bringers: readonly Bringer[]
  private readonly most: BacklogLimit
  private holding = false

  /** @param task its name @param upstreamOf the producer of a channel */
  constructor(
    task: string,
    feeds: readonly Feed[],
    upstreamOf: (feed: ChannelFeed) => TaskNames,
    most: BacklogLimit = usualLimit,
  ) {
    this.most = most
    this.bringers = feeds
      .filter((feed) => feed instanceof ChannelFeed)
      .map((feed) => ({ feed, upstream: upstreamOf(feed), mean: perRecord }))
      .filter(({ upstream }) => !upstream.has(task))
  }

  /** Asked behind each turn of the task. @param awaited what it waits for; empty: it does not wait */
  limit(awaited: () => readonly Feed[]): void {
    const { bringers, most } = this
    let records = 0
    let bytes = 0
    for (const one of bringers) {
      const { backlog } = one.feed
      if (backlog === 0) continue
      one.mean += (roughBytes(one.feed.newest) + perRecord - one.mean) / 8
      records += backlog
      bytes += backlog * one.mean
    }
    if (records < most.records && bytes < most.bytes) return this.release()
    const missing = awaited()
    const times = missing.length > 0 ? forOthers : 1
    if (records < times * most.records && bytes < times * most.bytes) return this.release()
    this.holding = true
    for (const one of bringers)
      one.feed.channel.held = one.feed.backlog > 0 && missing.every((input) => this.isAhead(one, input))
  }

  private isAhead({ feed, upstream }: Bringer, input: Feed): boolean {
    if (!(input instanceof ChannelFeed)) return input.time.w <= feed.channel.w
    if (input.channel.w > feed.channel.w) return false
    const other = this.bringers.find((one) => one.feed === input)
    return other !== undefined && apart(upstream, other.upstream)
  }

  private release(): void {
    if (!this.holding) return
    this.holding = false
    for (const { feed } of this.bringers) feed.channel.held = false
  }
}
