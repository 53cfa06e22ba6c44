import { DhaaraError } from '../../../errors/index.ts'
import { connectDirect } from './direct.ts'
import type { ClientName, ClientOptions, KafkaClient } from './client.ts'
import { kafkajs } from './kafkajs.ts'
import { platformatic } from './platformatic.ts'

export type { ClientName, ClientOptions, KafkaClient, KafkaConnection, SaslOptions, TlsOptions } from './client.ts'

const known = {
  platformatic: { load: platformatic, install: 'npm install @platformatic/kafka@2' },
  kafkajs: { load: kafkajs, install: 'npm install kafkajs@2.2.4' },
} as const

/** The client asked for, or the first of the two that is installed. @throws DhaaraError DHAARA_KAFKA_CLIENT */
export async function loadClient(name: ClientName | undefined, options: ClientOptions): Promise<KafkaClient> {
  const names: readonly ClientName[] = name === undefined ? ['platformatic', 'kafkajs'] : [name]
  for (const candidate of names) {
    try {
      const client = await known[candidate].load(options)
      return { ...client, direct: (host, port, ms, memory) => connectDirect(host, port, ms, options, memory) }
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    }
  }
  const lines = names.map((candidate) => known[candidate].install).join(' or: ')
  throw new DhaaraError('DHAARA_KAFKA_CLIENT', `No client library for Kafka is installed. Run: ${lines}`)
}
