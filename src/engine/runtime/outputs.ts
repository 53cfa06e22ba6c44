import { FrameBuilder } from '../../connectors/broker/frame-builder.ts'

/** A topic's frames of the running epoch, one builder a partition. */
export class TopicOutput {
  readonly topic: string
  readonly builders: FrameBuilder[]

  constructor(topic: string, partitions: number) {
    this.topic = topic
    this.builders = Array.from({ length: partitions }, () => new FrameBuilder())
  }
}

/** What the tasks of a thread have written to topics in the running epoch. */
export class Outputs {
  private readonly topics = new Map<string, TopicOutput>()
  private readonly partitionsOf: (topic: string) => number
  /** Called when a builder is full: its frame goes with the epoch, in order. */
  private frames: { topic: string; partition: number; frame: Buffer }[] = []

  /** @param partitionsOf number of partitions of a topic, made if it does not exist */
  constructor(partitionsOf: (topic: string) => number) {
    this.partitionsOf = partitionsOf
  }

  topic(name: string): TopicOutput {
    const known = this.topics.get(name)
    if (known) return known
    const output = new TopicOutput(name, this.partitionsOf(name))
    this.topics.set(name, output)
    return output
  }

  /** Cuts a frame that has grown large. */
  cut(output: TopicOutput, partition: number): void {
    const builder = output.builders[partition] as FrameBuilder
    this.frames.push({ topic: output.topic, partition, frame: builder.finish() })
  }

  /** All frames of the epoch, in order for each partition; empties the builders. */
  take(): { topic: string; partition: number; frame: Buffer }[] {
    for (const output of this.topics.values()) {
      for (const [partition, builder] of output.builders.entries()) {
        if (builder.count > 0) this.frames.push({ topic: output.topic, partition, frame: builder.finish() })
      }
    }
    const { frames } = this
    this.frames = []
    return frames
  }

  get bytes(): number {
    let bytes = 0
    for (const { frame } of this.frames) bytes += frame.length
    for (const output of this.topics.values()) for (const builder of output.builders) bytes += builder.bytes
    return bytes
  }

  get count(): number {
    return this.written
  }

  /** Records ever written. */
  written = 0
}
