import { openEmbedded } from '../../../src/connectors/broker/index.ts'
import type { Broker, QueryOptions } from '../../../src/index.ts'

/** The last records of a topic's partitions. */
export async function positionsOf(
  broker: Broker,
  topic: string,
  partitions: number,
): Promise<NonNullable<QueryOptions['minPosition']>> {
  const lease = await openEmbedded(broker)
  try {
    const ends = Array.from({ length: partitions }, (_, p) => [p, lease.log.endOffset(topic, p) - 1] as const)
    return { [topic]: Object.fromEntries(ends.filter(([, last]) => last >= 0)) }
  } finally {
    await lease.release()
  }
}
