import { TopicFeed } from '../../runtime/inputs/feed.ts'
import type { TaskGroup } from '../../runtime/tasks/group.ts'
import type { SourceOffsets } from './source-offsets.ts'
import type { EpochStats } from './worker-protocol.ts'

/** How far the tasks of one worker are in their inputs, and what they have done. */
export class WorkerProgress {
  private readonly group: TaskGroup
  /** Feeds of each topic partition that is read here. */
  private readonly reading: readonly (readonly TopicFeed[])[]
  private readonly counted = new Map<string, number>()
  private sourced = 0
  private processed = 0

  constructor(group: TaskGroup) {
    this.group = group
    this.reading = readingOf(group)
  }

  /** Of the first task of each partition. */
  get positions(): readonly (readonly unknown[])[] {
    return this.reading.map(([feed]) => [feed?.topic, feed?.partition, feed?.position])
  }

  /** A partition that several tasks read was processed as far as the slowest has. */
  tell(offsets: SourceOffsets): void {
    for (const feeds of this.reading) {
      const [{ topic, partition }] = feeds as [TopicFeed]
      let lowest = Number.POSITIVE_INFINITY
      for (const { position } of feeds) if (position < lowest) lowest = position
      offsets.setPosition(topic, partition, lowest)
    }
  }

  /** What was done since it was asked last, that is, since the last seal. */
  since(recordsOut: number): EpochStats {
    const { group } = this
    let sourced = 0
    let processed = 0
    let watermark = Number.POSITIVE_INFINITY
    for (const task of group.tasks) {
      sourced += task.sourced
      processed += task.processed
      watermark = Math.min(watermark, task.parts.clock.w)
    }
    const counters: [string, number][] = []
    for (const [name, { n }] of group.counters) {
      const more = n - (this.counted.get(name) ?? 0)
      if (more !== 0 || !this.counted.has(name)) counters.push([name, more])
      this.counted.set(name, n)
    }
    const recordsIn = sourced - this.sourced
    this.sourced = sourced
    const more = processed - this.processed
    this.processed = processed
    const positions = this.reading.map((feeds) => {
      const [{ topic, partition }] = feeds as [TopicFeed]
      return [topic, partition, Math.min(...feeds.map(({ position }) => position))] as const
    })
    return {
      processed: more,
      recordsIn,
      recordsOut,
      counters,
      watermark,
      positions,
      flows: group.flows(),
    }
  }
}

function readingOf(group: TaskGroup): TopicFeed[][] {
  const feeds = new Map<string, TopicFeed[]>()
  for (const task of group.tasks) {
    for (const feed of task.parts.feeds) {
      if (!(feed instanceof TopicFeed)) continue
      const name = `${feed.topic} ${feed.partition}`
      feeds.set(name, [...(feeds.get(name) ?? []), feed])
    }
  }
  return [...feeds.values()]
}
