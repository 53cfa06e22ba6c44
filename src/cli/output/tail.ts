import type { ReadableLog } from '../../connectors/broker/index.ts'
import type { RowWriter } from './row-writer.ts'
import type { Target } from './targets.ts'

const fetchBytes = 1 << 20

/** Copies the committed records of a topic to a target, from the topic's first one on. */
export class TopicTail {
  readonly topic: string
  /** Records written. */
  written = 0
  readonly #log: ReadableLog
  readonly #rows: RowWriter
  readonly #target: Target
  /** By partition. */
  readonly #next: number[] = []

  constructor(topic: string, log: ReadableLog, rows: RowWriter, target: Target) {
    this.topic = topic
    this.#log = log
    this.#rows = rows
    this.#target = target
  }

  /** All that is there now. Never more than one call at a time. */
  async drain(): Promise<void> {
    const partitions = this.#log.topic(this.topic)?.partitions ?? 0
    for (let partition = 0; partition < partitions; partition++) {
      for (;;) {
        const batch = this.#log.fetch(this.topic, partition, this.#next[partition] ?? 0, fetchBytes)
        if (batch === undefined) break
        this.#next[partition] = batch.nextOffset
        await this.#target.write(this.#rows.lines(batch))
        this.written += batch.count
      }
    }
  }
}
