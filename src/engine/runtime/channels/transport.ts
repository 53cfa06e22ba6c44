import { DhaaraError } from '../../../errors/index.ts'
import type { PhysicalPlan, Repartition } from '../../plan/physical.ts'
import type { Bells } from './bells.ts'
import { type ChannelCodec, channelCodec } from './channel-codec.ts'
import type { ChannelFeed } from '../inputs/feed.ts'
import {
  frameCount,
  frameEpoch,
  frameFlags,
  frameGeneration,
  frameKind,
  frameSlot,
  frameW,
  readRecords,
} from './frame-reader.ts'
import { flagEnded, flagIdle, frameMarker, marker } from './frame-writer.ts'
import { type OutletPeer, RemoteOutlet } from './remote-outlet.ts'
import { ringMemory } from './ring.ts'
import { type Message, Receiver, Sender } from './ring-link.ts'

/** What the threads of a group share, anew for each generation. */
export interface SharedTransport {
  readonly generation: number
  readonly workers: number
  /** [from][to]; null where they are one. */
  readonly rings: readonly (readonly (SharedArrayBuffer | null)[])[]
  /** One Int32 a channel: bytes that its consumer has applied. */
  readonly credits: SharedArrayBuffer
  /** How many bytes a channel may be ahead of its consumer when a slice begins. */
  readonly creditBytes: number
}

/** Memory for one generation of a group. @param ringBytes of a ring @param creditBytes see `SharedTransport` */
export function sharedTransport(
  plan: PhysicalPlan,
  partitions: readonly number[],
  generation: number,
  workers: number,
  ringBytes = 2 << 20,
  creditBytes = 512 << 10,
): SharedTransport {
  const { count } = channelSlots(plan, partitions)
  const rings = Array.from({ length: workers }, (_, from) =>
    Array.from({ length: workers }, (_, to) => (from === to || count === 0 ? null : ringMemory(ringBytes))),
  )
  return { generation, workers, rings, credits: new SharedArrayBuffer(4 * Math.max(1, count)), creditBytes }
}

/** Channel numbers: those of repartition r begin at `bases[r]`, by producer, then by consumer. */
export function channelSlots(plan: PhysicalPlan, partitions: readonly number[]): { bases: number[]; count: number } {
  let count = 0
  const bases = plan.repartitions.map(({ id }) => {
    const base = count
    const ends = endsOf(plan, id)
    count += (partitions[ends.writer] as number) * (partitions[ends.reader] as number)
    return base
  })
  return { bases, count }
}

/** Sub-topologies at the ends of a repartition. */
function endsOf(plan: PhysicalPlan, repartition: number): { writer: number; reader: number } {
  const sub = (kind: 'repartitionWrite' | 'repartitionRead') =>
    plan.steps.find(({ op }) => op.kind === kind && op.repartition.id === repartition)?.sub ?? 0
  return { writer: sub('repartitionWrite'), reader: sub('repartitionRead') }
}

interface Inlet {
  readonly feed: ChannelFeed
  readonly codec: ChannelCodec
  readonly slot: number
  readonly waiting: () => boolean
  receivedBytes: number
  receivedRecords: number
  granted: number
}

/** Everything from one other worker, first in, first out. */
interface LinkIn {
  readonly from: number
  readonly receiver: Receiver
  readonly inlets: Map<number, Inlet>
  /** Frames of epochs ahead of ours, and what is behind them. */
  held: Buffer[]
  frames: number
  /** Last epoch of which all has arrived. */
  marked: number
}

interface LinkOut {
  readonly to: number
  readonly sender: Sender
  frames: number
  rung: boolean
}

/**
 * One worker's ends of the channels to and from the others. Epochs as docs/proofs/epochs.md has them: what carries a tag
 * above our epoch waits, with all behind it; what arrives after our seal of e and before the sender's marker e is in
 * flight with e, whether or not it is applied meanwhile.
 */
export class Transport {
  readonly generation: number
  private readonly worker: number
  private readonly workers: number
  private readonly shared: SharedTransport
  private readonly credits: Int32Array
  private readonly bells: Bells
  private readonly bases: readonly number[]
  private readonly readers: readonly number[]
  private readonly codecs: readonly ChannelCodec[]
  private readonly ins: LinkIn[] = []
  private readonly outs: (LinkOut | undefined)[] = []
  private readonly outlets: RemoteOutlet[] = []
  private epoch: number
  /** By sealed epoch whose part is not complete: frames that were in flight, by channel. */
  private readonly captured = new Map<number, Map<number, Buffer[]>>()

  constructor(
    worker: number,
    plan: PhysicalPlan,
    partitions: readonly number[],
    shared: SharedTransport,
    bells: Bells,
    epoch: number,
  ) {
    this.worker = worker
    this.workers = shared.workers
    this.shared = shared
    this.generation = shared.generation
    this.credits = new Int32Array(shared.credits)
    this.bells = bells
    this.epoch = epoch
    this.bases = channelSlots(plan, partitions).bases
    this.readers = plan.repartitions.map(({ id }) => partitions[endsOf(plan, id).reader] as number)
    this.codecs = plan.repartitions.map(channelCodec)
    for (let other = 0; other < this.workers; other++) {
      const inward = shared.rings[other]?.[worker]
      const outward = shared.rings[worker]?.[other]
      if (inward)
        this.ins.push({
          from: other,
          receiver: new Receiver(inward),
          inlets: new Map(),
          held: [],
          frames: 0,
          marked: epoch - 1,
        })
      this.outs.push(outward ? { to: other, sender: new Sender(outward), frames: 0, rung: false } : undefined)
    }
  }

  /** undefined: the consumer is a task of this worker. */
  outlet(repartition: Repartition, producer: number, consumer: number): RemoteOutlet | undefined {
    const to = this.outs[consumer % this.workers]
    if (to === undefined) return undefined
    const { shared, credits } = this
    const transport = this
    const peer: OutletPeer = {
      generation: this.generation,
      creditBytes: shared.creditBytes,
      get epoch() {
        return transport.epoch
      },
      send: (message) => transport.send(to, message),
      granted: (slot) => Atomics.load(credits, slot),
    }
    const slot = this.slot(repartition.id, producer, consumer)
    const outlet = new RemoteOutlet(slot, this.codecs[repartition.id] as ChannelCodec, peer)
    this.outlets.push(outlet)
    return outlet
  }

  /** Gives its number; undefined: the producer is a task of this worker. @param waiting for another input: then nothing is held back */
  inlet(
    repartition: Repartition,
    producer: number,
    consumer: number,
    feed: ChannelFeed,
    waiting: () => boolean,
  ): number | undefined {
    const link = this.ins.find(({ from }) => from === producer % this.workers)
    if (link === undefined) return undefined
    const slot = this.slot(repartition.id, producer, consumer)
    const codec = this.codecs[repartition.id] as ChannelCodec
    link.inlets.set(slot, { feed, codec, slot, waiting, receivedBytes: 0, receivedRecords: 0, granted: 0 })
    return slot
  }

  /** Takes in all that has come. Returns whether anything has. */
  receive(): boolean {
    let moved = false
    for (const link of this.ins) {
      const { held } = link
      let i = 0
      while (i < held.length && frameEpoch(held[i] as Buffer) <= this.epoch) this.admit(link, held[i++] as Buffer)
      if (i > 0) held.splice(0, i)
      let any = i > 0
      for (let frame = link.receiver.receive(); frame !== undefined; frame = link.receiver.receive()) {
        any = true
        this.take(link, frame)
      }
      if (!any) continue
      moved = true
      this.bells.ring(link.from)
    }
    return moved
  }

  /** Sends what tasks have left here, and tells producers what was applied. */
  flush(): void {
    for (const outlet of this.outlets) outlet.flush()
    for (const link of this.ins) this.grant(link)
    for (const out of this.outs) {
      if (out === undefined) continue
      if (out.sender.flush() || out.rung) this.bells.ring(out.to)
      out.rung = false
    }
  }

  /** Right after the tasks were sealed: the marker goes behind all that they have sent. */
  seal(): void {
    this.flush()
    const epoch = this.epoch++
    for (const out of this.outs) {
      if (out === undefined) continue
      out.sender.send(marker(this.generation, epoch, out.frames))
      this.bells.ring(out.to)
    }
    this.captured.set(epoch, new Map())
  }

  /** What was in flight with a sealed epoch besides what its tasks held; undefined: more may come. Asked for once. */
  complete(epoch: number): ReadonlyMap<number, readonly Buffer[]> | undefined {
    if (this.ins.some((link) => link.marked < epoch)) return undefined
    const frames = this.captured.get(epoch)
    this.captured.delete(epoch)
    return frames
  }

  private slot(repartition: number, producer: number, consumer: number): number {
    return (this.bases[repartition] as number) + producer * (this.readers[repartition] as number) + consumer
  }

  private send(to: LinkOut, message: Message): void {
    to.sender.send(message)
    to.frames++
    to.rung = true
  }

  private take(link: LinkIn, frame: Buffer): void {
    if (frameGeneration(frame) !== this.generation)
      throw broken(link.from, `generation ${frameGeneration(frame)}; ours is ${this.generation}`)
    const epoch = frameEpoch(frame)
    if (frameKind(frame) === frameMarker) {
      if (frameCount(frame) !== link.frames >>> 0)
        throw broken(link.from, `${link.frames} frames until the end of epoch ${epoch}; it sent ${frameCount(frame)}`)
      link.marked = epoch
      return
    }
    link.frames++
    // sealed here, not yet marked by the sender
    for (const [sealed, frames] of this.captured) {
      if (sealed <= link.marked || epoch > sealed || frameCount(frame) === 0) continue
      const slot = frameSlot(frame)
      const known = frames.get(slot)
      if (known === undefined) frames.set(slot, [frame])
      else known.push(frame)
    }
    if (link.held.length > 0 || epoch > this.epoch) link.held.push(frame)
    else this.admit(link, frame)
  }

  private admit(link: LinkIn, frame: Buffer): void {
    const inlet = link.inlets.get(frameSlot(frame))
    if (inlet === undefined) throw broken(link.from, `a frame of channel ${frameSlot(frame)}, which ends elsewhere`)
    const { channel } = inlet.feed
    readRecords(frame, inlet.codec, channel)
    channel.w = frameW(frame)
    const flags = frameFlags(frame)
    channel.idle = (flags & flagIdle) !== 0
    channel.ended = (flags & flagEnded) !== 0
    inlet.receivedBytes += frame.length
    inlet.receivedRecords += frameCount(frame)
  }

  private grant(link: LinkIn): void {
    let told = false
    for (const inlet of link.inlets.values()) {
      const { feed, receivedBytes, receivedRecords } = inlet
      if (inlet.granted === receivedBytes) continue
      const backlog = feed.backlog
      const mean = receivedRecords === 0 ? 0 : receivedBytes / receivedRecords
      const granted = backlog === 0 || inlet.waiting() ? receivedBytes : Math.floor(receivedBytes - backlog * mean)
      if (granted <= inlet.granted) continue
      inlet.granted = granted
      Atomics.store(this.credits, inlet.slot, granted | 0)
      told = true
    }
    if (told) this.bells.ring(link.from)
  }
}

const broken = (from: number, what: string): DhaaraError =>
  new DhaaraError('DHAARA_INTERNAL', `worker ${from} and this one disagree: found ${what}`)
