import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import type { ReadableLog } from '../../../src/connectors/broker/log.ts'
import {
  type AppOptions,
  type embeddedBroker,
  type Program,
  type Serde,
  serdes,
  StreamsApp,
} from '../../../src/index.ts'

export interface Sent {
  readonly key: string
  readonly value: unknown
  readonly timestamp: number
}

export interface Row {
  /** Text, or what a serde makes of it. */
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
}

type EmbeddedBroker = ReturnType<typeof embeddedBroker>

export const moduleUrl = (name: string): URL => new URL(`./children/${name}.ts`, import.meta.url)

/** Sends in one commit a thousand records. */
export async function send(broker: EmbeddedBroker, topic: string, records: Iterable<Sent>): Promise<void> {
  await using producer = broker.producer(topic, { key: serdes.string(), value: serdes.json() })
  let n = 0
  for (const record of records) {
    void producer.send(record)
    if (++n % 1000 === 0) await producer.flush()
  }
}

/** What a topic holds, partition by partition; keys are text unless there is a serde for them. */
export async function read(broker: EmbeddedBroker, topic: string, keys?: Serde<unknown>): Promise<Row[]> {
  const { log, release } = await openEmbedded(broker)
  const rows = rowsOf(log, topic, keys)
  await release()
  return rows
}

export function rowsOf(log: ReadableLog, topic: string, keys?: Serde<unknown>): Row[] {
  const rows: Row[] = []
  const partitions = log.topic(topic)?.partitions ?? 0
  for (let p = 0; p < partitions; p++) {
    for (let batch = log.fetch(topic, p, 0); batch !== undefined; batch = log.fetch(topic, p, batch.nextOffset)) {
      for (let i = 0; i < batch.count; i++) {
        const part = (start: Int32Array, end: Int32Array) =>
          (start[i] as number) < 0 ? null : batch.data.subarray(start[i], end[i])
        const key = part(batch.keyStart, batch.keyEnd)
        const value = part(batch.valueStart, batch.valueEnd)
        rows.push({
          key: key === null ? null : keys === undefined ? key.toString() : keys.deserialize(key, topic),
          value: value === null ? null : JSON.parse(value.toString()),
          timestamp: batch.timestamps[i] as number,
        })
      }
    }
  }
  return rows
}

/** Runs an app over what its topics hold. */
export async function runToEnd(options: Omit<AppOptions, 'applicationId'> & Program) {
  const app = new StreamsApp({ applicationId: 'test', ...options })
  await app.start()
  app.endInputs()
  return app.completed
}
