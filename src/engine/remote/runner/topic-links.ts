import type { RemoteReader } from '../../../connectors/broker/remote.ts'
import type { PhysicalPlan, Repartition } from '../../plan/physical.ts'
import { channelCodec, type ChannelCodec } from '../../runtime/channels/channel-codec.ts'
import type { ChannelFeed } from '../../runtime/inputs/feed.ts'
import { frameCount, frameFlags, frameSlot, frameW, readRecords } from '../../runtime/channels/frame-reader.ts'
import { flagEnded, flagIdle } from '../../runtime/channels/frame-writer.ts'
import type { Links } from '../../runtime/channels/links.ts'
import type { Outputs } from '../../runtime/outputs.ts'
import { type OutletPeer, RemoteOutlet } from '../../runtime/channels/remote-outlet.ts'
import { aligned, type Message } from '../../runtime/channels/ring-link.ts'
import { channelSlots } from '../../runtime/channels/transport.ts'
import { repartitionTopic } from '../topics/names.ts'
import { forOthers, usualLimit } from '../../runtime/tasks/backlog.ts'
import { WaitingFrames } from './waiting-frames.ts'

interface Fed {
  readonly feed: ChannelFeed
  readonly frames: WaitingFrames
}

interface Inlet {
  readonly topic: string
  readonly partition: number
  /** By slot. */
  readonly feeds: Map<number, Fed>
  readonly codec: ChannelCodec
  position: number
}

/**
 * Repartitions by way of topics: each record of a topic is a frame of one producing task for one consuming task, with the
 * producer's W behind it; where W moves and nothing was sent, a frame without records says so. Frames go with the epoch
 * that they were made in, and are seen when it is committed.
 */
export class TopicLinks implements Links {
  private readonly app: string
  private readonly outputs: Outputs
  private readonly reader: RemoteReader
  private readonly bases: readonly number[]
  private readonly readers: readonly number[]
  private readonly codecs: readonly ChannelCodec[]
  private readonly positionOf: (topic: string, partition: number) => number
  private readonly now: () => number
  private readonly outlets: RemoteOutlet[] = []
  private readonly inlets = new Map<string, Inlet>()
  private readonly sent = new Map<number, number>()
  /** Something was taken in since the last seal. */
  private moved = false
  private readonly hadEnded: ReadonlySet<number>

  /**
   * @param positionOf where a repartition's topic was read to, when the state was written
   * @param hadEnded channels whose producers had said before that position that they are done
   */
  constructor(
    app: string,
    plan: PhysicalPlan,
    partitions: readonly number[],
    outputs: Outputs,
    reader: RemoteReader,
    positionOf: (topic: string, partition: number) => number,
    now: () => number,
    hadEnded: ReadonlySet<number>,
  ) {
    this.hadEnded = hadEnded
    this.app = app
    this.outputs = outputs
    this.reader = reader
    this.positionOf = positionOf
    this.now = now
    this.bases = channelSlots(plan, partitions).bases
    this.codecs = plan.repartitions.map(channelCodec)
    this.readers = plan.repartitions.map(({ id }) => {
      const step = plan.steps.find(({ op }) => op.kind === 'repartitionRead' && op.repartition.id === id)
      return partitions[step?.sub ?? 0] as number
    })
  }

  outlet(repartition: Repartition, producer: number, consumer: number): RemoteOutlet {
    const slot = this.slot(repartition, producer, consumer)
    const output = this.outputs.topic(repartitionTopic(this.app, repartition))
    const { sent } = this
    const peer: OutletPeer = {
      generation: 0,
      epoch: 0,
      creditBytes: 1,
      send: (message: Message) => {
        const { size } = message
        const frame = Buffer.allocUnsafeSlow(size)
        message.fill(frame, 0)
        output.builders[consumer]?.add(null, frame, this.now())
        if (output.builders[consumer]?.full) this.outputs.cut(output, consumer)
        sent.set(slot, ((sent.get(slot) ?? 0) + size) | 0)
      },
      // What is sent waits for the epoch's end; how much that may be is the engine's to say.
      granted: () => sent.get(slot) ?? 0,
    }
    const outlet = new RemoteOutlet(slot, this.codecs[repartition.id] as ChannelCodec, peer)
    this.outlets.push(outlet)
    return outlet
  }

  inlet(repartition: Repartition, producer: number, consumer: number, feed: ChannelFeed): number {
    const topic = repartitionTopic(this.app, repartition)
    const key = `${consumer}/${topic}`
    let inlet = this.inlets.get(key)
    if (inlet === undefined) {
      const position = this.positionOf(topic, consumer)
      const codec = this.codecs[repartition.id] as ChannelCodec
      inlet = { topic, partition: consumer, feeds: new Map(), codec, position }
      this.inlets.set(key, inlet)
      this.reader.add(topic, consumer, position)
    }
    const slot = this.slot(repartition, producer, consumer)
    inlet.feeds.set(slot, { feed, frames: new WaitingFrames(feed) })
    // as the producer has said it last, to whoever had the task before
    const { channel, time } = feed
    channel.w = time.w
    channel.idle = time.idle
    channel.ended = this.hadEnded.has(slot)
    return slot
  }

  receive(): boolean {
    let moved = false
    for (const inlet of this.inlets.values()) {
      for (;;) {
        if (isFull(inlet)) break
        const batch = this.reader.take(inlet.topic, inlet.partition, inlet.position)
        if (batch === undefined) break
        for (let i = 0; i < batch.count; i++)
          this.admit(inlet, batch.data.subarray(batch.valueStart[i] as number, batch.valueEnd[i] as number))
        inlet.position = batch.nextOffset
        moved = true
        this.moved = true
      }
    }
    return moved
  }

  /** Nothing is seen before the epoch's end, so that there is no hurry. */
  flush(): void {}

  seal(): void {
    for (const outlet of this.outlets) outlet.flush()
    this.moved = false
  }

  /** Tasks have moved: those that read what is sent here may have to be told of time anew. */
  repeat(): void {
    for (const outlet of this.outlets) outlet.repeat()
  }

  /** An epoch would say something new. */
  get news(): boolean {
    return this.moved || this.outlets.some((outlet) => outlet.news)
  }

  /** Channels whose producers have said that they are done. */
  get ended(): Set<number> {
    const feeds = [...this.inlets.values()].flatMap((inlet) => [...inlet.feeds])
    return new Set(feeds.flatMap(([slot, { feed }]) => (feed.channel.ended ? [slot] : [])))
  }

  /** How far each topic was read into the tasks. */
  get positions(): { topic: string; partition: number; offset: number }[] {
    return Array.from(this.inlets.values(), ({ topic, partition, position }) => ({
      topic,
      partition,
      offset: position,
    }))
  }

  close(): void {
    for (const { topic, partition } of this.inlets.values()) this.reader.remove(topic, partition)
  }

  private admit(inlet: Inlet, bytes: Buffer): void {
    const frame = aligned(bytes)
    const fed = inlet.feeds.get(frameSlot(frame))
    // Written by a plan with more producers than this one has.
    if (fed === undefined) return
    const { channel } = fed.feed
    readRecords(frame, inlet.codec, channel)
    if (frameCount(frame) > 0) fed.frames.add(frame.length)
    channel.w = frameW(frame)
    const flags = frameFlags(frame)
    channel.idle = (flags & flagIdle) !== 0
    channel.ended = (flags & flagEnded) !== 0
  }

  private slot({ id }: Repartition, producer: number, consumer: number): number {
    return (this.bases[id] as number) + producer * (this.readers[id] as number) + consumer
  }
}

/** Enough waits of it. More may where the task waits for a producer of which it has nothing: what that has sent lies behind. */
function isFull({ feeds }: Inlet): boolean {
  let records = 0
  let bytes = 0
  let hungry = false
  for (const { feed, frames } of feeds.values()) {
    const { backlog, channel } = feed
    records += backlog
    bytes += frames.bytes
    if (backlog === 0 && !channel.ended && !channel.idle) hungry = true
  }
  const times = hungry ? forOthers : 1
  return records >= times * usualLimit.records || bytes >= times * usualLimit.bytes
}
