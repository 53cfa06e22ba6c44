import { FrameBuilder, type FrameLimits } from '../../connectors/broker/frame-builder.ts'
import { packFrame, sumRecords } from '../../connectors/broker/packed-frame.ts'
import { SpareMemory } from '../../connectors/broker/spare-memory.ts'

/** A topic's frames of the running epoch, one builder a partition. */
export class TopicOutput {
  readonly topic: string
  readonly builders: FrameBuilder[]
  /** Large frames that are not compressed, before one is again, to see whether it pays by now. */
  untried = 0

  constructor(topic: string, partitions: number, limits: FrameLimits) {
    this.topic = topic
    this.builders = Array.from({ length: partitions }, () => new FrameBuilder(limits))
  }
}

/** Smaller frames are not compressed: they come from short epochs, where somebody waits. */
const packFrom = 64 << 10
/**
 * Frames that get this much smaller are compressed. At that the compressor costs a third of what is saved of writing them to
 * the database's log, of its tables and of merging these; where records repeat each other less, it is slower, and saves less.
 */
const leastPacked = 5
/** Frames that are left alone where one did not. */
const retryAfter = 31

export interface OutputFrame {
  readonly topic: string
  readonly partition: number
  readonly frame: Buffer<ArrayBuffer>
}

/** Of frames' memory. */
const block = 32 << 10
const mostIdle = 128 << 20

/** What the tasks of a thread have written to topics in the running epoch. */
export class Outputs {
  private readonly topics = new Map<string, TopicOutput>()
  private readonly partitionsOf: (topic: string) => number
  /** Cut from full builders: they go with the epoch, in order. */
  private frames: OutputFrame[] = []
  /** Of `frames`. */
  private cutBytes = 0
  private readonly limits: FrameLimits
  private readonly checksum: boolean
  /** Where frames get their memory, and where it is given back. */
  readonly spare = new SpareMemory(block, mostIdle)

  /** @param partitionsOf number of partitions of a topic, made if it does not exist */
  constructor(partitionsOf: (topic: string) => number, limits: FrameLimits = {}) {
    this.partitionsOf = partitionsOf
    this.checksum = limits.checksum ?? true
    this.limits = { ...limits, checksum: false }
  }

  topic(name: string): TopicOutput {
    const known = this.topics.get(name)
    if (known) return known
    const output = new TopicOutput(name, this.partitionsOf(name), this.limits)
    this.topics.set(name, output)
    return output
  }

  /** Cuts a frame that has grown large. */
  cut(output: TopicOutput, partition: number): void {
    const frame = this.finish(output, partition)
    this.frames.push(frame)
    this.cutBytes += frame.frame.length
  }

  /** Frames that are full already: they may leave before the epoch ends. */
  takeFull(): OutputFrame[] {
    const { frames } = this
    this.frames = []
    this.cutBytes = 0
    return frames
  }

  /** Frames that may leave before the epoch ends: those that are full, and all where so many bytes wait. */
  takeEarly(worth: number): OutputFrame[] {
    return this.bytes >= worth ? this.take() : this.takeFull()
  }

  /** All frames of the epoch, in order for each partition; empties the builders. */
  take(): OutputFrame[] {
    for (const output of this.topics.values()) {
      for (const [partition, builder] of output.builders.entries()) {
        if (builder.count > 0) this.frames.push(this.finish(output, partition))
      }
    }
    return this.takeFull()
  }

  /** Of frames that were taken and written: their memory is used again. Fresh memory costs more than filling it. */
  release(frames: readonly OutputFrame[]): void {
    for (const { frame } of frames) this.spare.give(frame.buffer)
  }

  private finish(output: TopicOutput, partition: number): OutputFrame {
    const { topic, builders } = output
    const frame = (builders[partition] as FrameBuilder).finish(undefined, this.spare)
    if (!this.checksum) return { topic, partition, frame }
    const packed = this.packed(output, frame)
    if (packed !== undefined) {
      this.spare.give(frame.buffer)
      return { topic, partition, frame: packed }
    }
    sumRecords(frame)
    return { topic, partition, frame }
  }

  private packed(output: TopicOutput, frame: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> | undefined {
    if (frame.length < packFrom) return undefined
    if (output.untried > 0) {
      output.untried--
      return undefined
    }
    const packed = packFrame(frame, leastPacked, (bytes) => this.spare.take(bytes))
    if (packed === undefined) output.untried = retryAfter
    return packed
  }

  /** Bytes of frames that are full: an open one is small. */
  get fullBytes(): number {
    return this.cutBytes
  }

  get bytes(): number {
    let bytes = this.cutBytes
    for (const output of this.topics.values()) for (const builder of output.builders) bytes += builder.bytes
    return bytes
  }

  get count(): number {
    return this.written
  }

  /** Something waits for the epoch's end: dead letters do, too, which no task counts as written. */
  get waiting(): boolean {
    if (this.cutBytes > 0) return true
    for (const { builders } of this.topics.values()) for (const { count } of builders) if (count > 0) return true
    return false
  }

  /** Records ever written. */
  written = 0
}
