import { FrameBuilder } from '../connectors/broker/frame-builder.ts'
import { readFrames, sealFrame } from '../connectors/broker/frame.ts'
import type { FetchedBatch, RecordHeaders } from '../connectors/broker/log.ts'

/** Input partitions of a driver: what was sent and not yet taken, in the broker's own frames. */
export class MemoryLog {
  private readonly partitions = new Map<string, { next: number; builder: FrameBuilder; waiting: FetchedBatch[] }>()

  add(
    topic: string,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    ts: number,
    headers?: RecordHeaders,
  ): void {
    this.of(topic, partition).builder.add(key, value, ts, headers)
  }

  /** Makes what was added one batch. */
  flush(topic: string, partition: number): void {
    const log = this.of(topic, partition)
    const { count } = log.builder
    if (count === 0) return
    const frame = log.builder.finish()
    sealFrame(frame, log.next + count - 1, 0, frame.length)
    const batch = readFrames(topic, partition, [frame], log.next)
    log.next += count
    if (batch !== undefined) log.waiting.push(batch)
  }

  fetch(topic: string, partition: number): FetchedBatch | undefined {
    return this.of(topic, partition).waiting.shift()
  }

  behind(topic: string, partition: number): boolean {
    return this.of(topic, partition).waiting.length > 0
  }

  nextOffset(topic: string, partition: number): number {
    return this.of(topic, partition).next
  }

  offsets(): [string, number][] {
    return Array.from(this.partitions, ([name, { next }]) => [name, next])
  }

  /** Forgets what waits; offsets go on from there. */
  reset(offsets: readonly (readonly [string, number])[]): void {
    this.partitions.clear()
    for (const [name, next] of offsets) this.partitions.set(name, { next, builder: new FrameBuilder(), waiting: [] })
  }

  private of(topic: string, partition: number) {
    const name = `${topic}/${partition}`
    let log = this.partitions.get(name)
    if (log === undefined) {
      log = { next: 0, builder: new FrameBuilder(), waiting: [] }
      this.partitions.set(name, log)
    }
    return log
  }
}
