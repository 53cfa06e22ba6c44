import { rmSync } from 'node:fs'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { type embeddedBroker, type Savepoint, StreamsApp, type Topology } from '../../../src/index.ts'
import { type Row, type Sent } from '../app/run.ts'
import type { Case } from './topologies.ts'

export type Broker = ReturnType<typeof embeddedBroker>

/** Numbers that rise, at times that mostly do, of a dozen keys. */
export function records(seed: number): Sent[] {
  let state = seed + 1
  const random = () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff
  return Array.from({ length: 120 }, (_, i) => ({
    key: `k${Math.floor(random() * 12)}`,
    value: i,
    timestamp: 1_000_000 + i * 3 - Math.floor(random() * 6),
  }))
}

export const started = async (topology: Topology, broker: Broker, applicationId = 'test'): Promise<StreamsApp> => {
  const app = new StreamsApp({ applicationId, topology, broker, checkpointInterval: '2ms', maxTaskIdle: 0 })
  await app.start()
  return app
}

export async function toTheEnd(topology: Topology, broker: Broker): Promise<void> {
  const app = await started(topology, broker)
  app.endInputs()
  await app.completed
}

/** A savepoint of a running app that has read all there is. */
export async function savepointOf({ topology, inputs }: Case, broker: Broker, path: string): Promise<void> {
  const app = await started(topology(), broker)
  const lease = await openEmbedded(broker)
  const behind = ({ positions }: Savepoint) =>
    inputs.some((topic) =>
      Array.from({ length: lease.log.topic(topic)?.partitions ?? 0 }, (_, p) => p).some(
        (p) => (positions[topic]?.[p] ?? 0) < lease.log.endOffset(topic, p),
      ),
    )
  for (let made = await app.savepoint(path); behind(made); made = await app.savepoint(path)) {
    rmSync(path, { recursive: true })
    await new Promise(setImmediate)
  }
  await app.close()
  await lease.release()
}

export const texts = (rows: readonly Row[], last: boolean): unknown => {
  const all = rows.map(({ key, value }) => [JSON.stringify(key), JSON.stringify(value)] as const)
  return last ? [...new Map(all)].sort() : all.map((row) => row.join(' ')).sort()
}
