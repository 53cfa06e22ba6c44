import { bootstrapOf, measuredKind, runningCluster, startCluster, stopCluster } from '../../scripts/kafka/cluster.ts'

/** A broker for measurements, by its addresses: one that runs, or one that is there as long as it is used. */
export async function withKafka<T>(use: (brokers: readonly string[]) => Promise<T>): Promise<T> {
  const mine = runningCluster(measuredKind) === undefined
  const brokers = bootstrapOf(await startCluster(measuredKind))
  try {
    return await use(brokers)
  } finally {
    if (mine) await stopCluster(measuredKind)
  }
}
