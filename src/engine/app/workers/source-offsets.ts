import type { TopicSlot } from './worker-protocol.ts'

/** Ends of the sources' partitions, written by the owner; positions in them, written by the worker that reads them. */
export class SourceOffsets {
  private readonly numbers: Float64Array
  private readonly slots: ReadonlyMap<string, TopicSlot>
  private readonly count: number

  static memory(topics: readonly TopicSlot[]): SharedArrayBuffer {
    let count = 0
    for (const { partitions } of topics) count += partitions
    return new SharedArrayBuffer(16 * Math.max(1, count))
  }

  constructor(memory: SharedArrayBuffer, topics: readonly TopicSlot[]) {
    this.numbers = new Float64Array(memory)
    this.count = this.numbers.length / 2
    this.slots = new Map(topics.map((topic) => [topic.name, topic]))
  }

  /** undefined: no topic that was there at the start. */
  end(topic: string, partition: number): number | undefined {
    const at = this.at(topic, partition)
    return at < 0 ? undefined : this.numbers[at]
  }

  setEnd(topic: string, partition: number, offset: number): void {
    const at = this.at(topic, partition)
    if (at >= 0) this.numbers[at] = offset
  }

  position(topic: string, partition: number): number | undefined {
    const at = this.at(topic, partition)
    return at < 0 ? undefined : this.numbers[this.count + at]
  }

  setPosition(topic: string, partition: number, offset: number): void {
    const at = this.at(topic, partition)
    if (at >= 0) this.numbers[this.count + at] = offset
  }

  private at(topic: string, partition: number): number {
    const slot = this.slots.get(topic)
    return slot === undefined || partition >= slot.partitions ? -1 : slot.base + partition
  }
}
