import type { KafkaBrokerOptions } from './options.ts'
import { loadClient } from './client/index.ts'
import { KafkaCluster } from './cluster.ts'

/** @throws DhaaraError a wrong address or password shows at once, not after a minute of trying */
export async function openCluster({
  client,
  clientId = 'dhaara',
  ssl,
  sasl,
  brokers,
}: KafkaBrokerOptions): Promise<KafkaCluster> {
  const cluster = new KafkaCluster(await loadClient(client, { clientId, ssl, sasl }), brokers)
  try {
    await cluster.refresh([])
    return cluster
  } catch (error) {
    await cluster.close()
    throw error
  }
}
