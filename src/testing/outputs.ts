import { readFrames, sealFrame } from '../connectors/broker/frame.ts'
import type { FetchedBatch } from '../connectors/broker/log.ts'
import type { OutputRecord } from '../connectors/broker/broker.ts'
import { observedSink, observedTopic } from '../engine/connect/observed.ts'
import type { PhysicalPlan } from '../engine/plan/physical.ts'

export interface TestOutput<K, V> {
  /** The oldest record that was not read yet. */
  read(): OutputRecord<K, V> | undefined
  readAll(): OutputRecord<K, V>[]
  /** The last value of each key; keys that are objects are told apart by their content. */
  readAllToMap(): Map<K, V>
  readonly isEmpty: boolean
}

interface Decoder {
  deserialize?(bytes: Uint8Array, topic: string): unknown
}

/** What a driver's sinks have written: decoded by the serdes of the sinks. */
export class DriverOutputs {
  private readonly topics = new Map<string, OutputRecord<unknown, unknown>[]>()
  private readonly plan: PhysicalPlan
  private marked = new Map<string, Set<OutputRecord<unknown, unknown>>>()

  constructor(plan: PhysicalPlan) {
    this.plan = plan
  }

  take(topic: string, partition: number, frame: Buffer): FetchedBatch | undefined {
    sealFrame(frame, frame.readUInt32LE(12) - 1, 0, frame.length)
    const batch = readFrames(topic, partition, [frame], 0)
    if (batch === undefined) return undefined
    const { key, value } = this.serdes(topic)
    const records = this.of(topic)
    for (let i = 0; i < batch.count; i++) {
      const read = (serde: Decoder | undefined, start: number, end: number) => {
        if (start < 0) return null
        const bytes = Buffer.from(batch.data.subarray(start, end))
        return serde?.deserialize ? serde.deserialize(bytes, topic) : bytes
      }
      records.push({
        key: read(key, batch.keyStart[i] as number, batch.keyEnd[i] as number),
        value: read(value, batch.valueStart[i] as number, batch.valueEnd[i] as number),
        timestamp: batch.timestamps[i] as number,
        headers: Object.fromEntries(
          (batch.headers?.[i] ?? []).map(([name, bytes]) => [name, Buffer.from(bytes).toString()]),
        ),
      })
    }
    return batch
  }

  /** @param name of a topic, or of a sink that is none */
  output(name: string): TestOutput<unknown, unknown> {
    const own = this.plan.steps.some(({ op }) => op.kind === 'deliver' && op.name === name)
    const records = this.of(own ? observedTopic(name) : name)
    return {
      read: () => records.shift(),
      readAll: () => records.splice(0),
      readAllToMap: () => {
        const keys = new Map<string, unknown>()
        const map = new Map<unknown, unknown>()
        for (const { key, value } of records.splice(0)) {
          const id = typeof key === 'object' ? JSON.stringify(key) : `${typeof key} ${String(key)}`
          if (!keys.has(id)) keys.set(id, key)
          map.set(keys.get(id), value)
        }
        return map
      },
      get isEmpty() {
        return records.length === 0
      },
    }
  }

  /** Remembers what lies unread, for `rollback`. */
  mark(): void {
    this.marked = new Map(Array.from(this.topics, ([topic, records]) => [topic, new Set(records)]))
  }

  /** Drops what was written since the mark and not read. */
  rollback(): void {
    for (const [topic, records] of this.topics) {
      const kept = records.filter((record) => this.marked.get(topic)?.has(record))
      records.splice(0, records.length, ...kept)
    }
  }

  private of(topic: string): OutputRecord<unknown, unknown>[] {
    let records = this.topics.get(topic)
    if (records === undefined) {
      records = []
      this.topics.set(topic, records)
    }
    return records
  }

  private serdes(topic: string): { key: Decoder | undefined; value: Decoder | undefined } {
    for (const { op } of this.plan.steps)
      if (op.kind === 'deliver' && observedTopic(op.name) === topic) return observedSink(op) as never
    const sinks = this.plan.steps.flatMap(({ op }) => (op.kind === 'sink' ? [op] : []))
    const sink = sinks.find((one) => one.topic === topic) ?? sinks.find((one) => typeof one.topic !== 'string')
    return { key: sink?.key, value: sink?.value }
  }
}
