import { brokerIsAtLeast } from '../../../scripts/kafka/jars.ts'
import { loadClient } from '../../../src/connectors/kafka/client/index.ts'
import { KafkaCluster } from '../../../src/connectors/kafka/cluster.ts'
import { check } from '../../../src/connectors/kafka/wire/errors.ts'
import {
  api,
  array,
  bool,
  int8,
  int16,
  int32,
  nullableString,
  string,
  struct,
} from '../../../src/connectors/kafka/wire/schema.ts'

const updateFeatures = api(
  57,
  'UpdateFeatures',
  [1, 1],
  struct({
    timeoutMs: int32,
    updates: array(struct({ feature: string, level: int16, upgradeType: int8 })),
    validateOnly: bool,
  }),
  struct({
    throttleMs: int32,
    error: int16,
    message: nullableString,
    results: array(struct({ feature: string, error: int16, message: nullableString })),
  }),
)
const [upgrade, safeDowngrade] = [1, 2]

/** Newest version of transactions that these brokers can agree on. */
export const newestTransactionVersion = brokerIsAtLeast(4, 0) ? 2 : 1

/** Makes a cluster agree on another version of transactions, and waits until its brokers say so. */
export async function setTransactionVersion(brokers: readonly string[], level: number): Promise<void> {
  // older ones have nothing to agree on
  if (newestTransactionVersion === 1) return
  const client = await loadClient(undefined, { clientId: 'features' })
  for (let asked = false; ; asked = true) {
    const cluster = new KafkaCluster(client, brokers)
    try {
      await cluster.refresh([])
      if (cluster.transactionVersion === level) return
      if (asked) continue
      const upgradeType = level > cluster.transactionVersion ? upgrade : safeDowngrade
      const updates = [{ feature: 'transaction.version', level, upgradeType }]
      const request = { timeoutMs: 10_000, updates, validateOnly: false }
      const { error, message } = await cluster.request(updateFeatures, request, undefined)
      check(error, `Setting transaction.version to ${level} (${message})`)
    } finally {
      await cluster.close()
    }
  }
}
