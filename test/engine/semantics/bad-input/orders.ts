import assert from 'node:assert/strict'
import { z } from 'zod'
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import type { embeddedBroker } from '../../../../src/index.ts'
import {
  type AppOptions,
  DhaaraError,
  type Serde,
  serdes,
  StreamsApp,
  StreamsBuilder,
  type Topology,
} from '../../../../src/index.ts'

type Broker = ReturnType<typeof embeddedBroker>
export interface Raw {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
}

export const utf8 = (text: string): Buffer => Buffer.from(text)
export const order = z.object({ total: z.number() })

/** `orders` (JSON by a schema) -> totals by key, and each order as it came. */
export function orders(source: object = {}): Topology {
  const builder = new StreamsBuilder()
  const stream = builder.stream('orders', { key: serdes.string(), value: serdes.json(order), ...source })
  stream
    .groupByKey()
    .aggregate(
      () => 0,
      (sum, { total }) => sum + total,
    )
    .toStream()
    .to('totals', { key: ('key' in source ? source.key : serdes.string()) as never, value: serdes.json() })
  return builder.build()
}

export const bytes: Serde<Uint8Array> = serdes.bytes()

export async function fill(broker: Broker, records: readonly Raw[], topic = 'orders'): Promise<void> {
  await using producer = broker.producer(topic, { key: bytes, value: bytes })
  for (const record of records) await producer.send(record)
}

export async function run(broker: Broker, topology: Topology, options: Partial<AppOptions> = {}) {
  const app = new StreamsApp({ applicationId: 'bad', topology, broker, ...options } as AppOptions & {
    topology: Topology
  })
  await app.start()
  app.endInputs()
  const summary = await app.completed
  return { summary, metrics: app.metrics() }
}

export async function failure(of: Promise<unknown>): Promise<DhaaraError> {
  try {
    await of
  } catch (error) {
    assert.ok(error instanceof DhaaraError, String(error))
    return error
  }
  return assert.fail('nothing was refused')
}

export async function all(broker: Broker, topic: string) {
  const lease = await openEmbedded(broker)
  const found: { key: string | null; value: string | null; headers: Record<string, string> }[] = []
  for (let p = 0; p < (lease.log.topic(topic)?.partitions ?? 0); p++) {
    for (let batch = lease.log.fetch(topic, p, 0); batch; batch = lease.log.fetch(topic, p, batch.nextOffset))
      for (let i = 0; i < batch.count; i++) {
        const part = (start: number, end: number) => (start < 0 ? null : batch.data.toString('utf8', start, end))
        found.push({
          key: part(batch.keyStart[i] as number, batch.keyEnd[i] as number),
          value: part(batch.valueStart[i] as number, batch.valueEnd[i] as number),
          headers: Object.fromEntries(
            (batch.headers?.[i] ?? []).map(([name, text]) => [name, String(Buffer.from(text))]),
          ),
        })
      }
  }
  await lease.release()
  return found
}

export const good = (n: number, timestamp = 1000 + n): Raw => ({
  key: utf8('a'),
  value: utf8(`{"total":${n}}`),
  timestamp,
})
