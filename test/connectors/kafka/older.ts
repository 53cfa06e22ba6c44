/** A real broker that says it is an older one, so that it is asked as those are. */
import { MessageChannel } from 'node:worker_threads'
import { LogServer, PortLog } from '../../../src/connectors/broker/apart/index.ts'
import type { BrokerParts } from '../../../src/connectors/broker/broker.ts'
import { type RemoteBroker, type RemoteLog, remote } from '../../../src/connectors/broker/remote.ts'
import { type KafkaClient, type KafkaConnection, loadClient } from '../../../src/connectors/kafka/client/index.ts'
import { KafkaCluster } from '../../../src/connectors/kafka/cluster.ts'
import { kafkaBroker } from '../../../src/connectors/kafka/index.ts'
import { KafkaLog } from '../../../src/connectors/kafka/log.ts'
import * as apis from '../../../src/connectors/kafka/wire/apis.ts'
import { fetch } from '../../../src/connectors/kafka/wire/fetch.ts'
import { produce } from '../../../src/connectors/kafka/wire/produce.ts'
import { Reader } from '../../../src/connectors/kafka/wire/reader.ts'
import { encodeRequest } from '../../../src/connectors/kafka/wire/schema.ts'

/** Newest versions by the number of the request; what is not among them is not known. */
export type Newest = ReadonlyMap<number, number>

/** As Apache Kafka 2.8.2 answers to ApiVersions. */
export const kafka28: Newest = new Map([
  [produce.key, 9],
  [fetch.key, 12],
  [apis.listOffsets.key, 6],
  [apis.metadata.key, 11],
  [apis.offsetCommit.key, 8],
  [apis.offsetFetch.key, 7],
  [apis.findCoordinator.key, 3],
  [apis.joinGroup.key, 7],
  [apis.heartbeat.key, 4],
  [apis.leaveGroup.key, 4],
  [apis.syncGroup.key, 5],
  [apis.createTopics.key, 7],
  [apis.deleteTopics.key, 6],
  [apis.deleteRecords.key, 2],
  [apis.initProducerId.key, 4],
  [apis.addPartitionsToTxn.key, 3],
  [apis.addOffsetsToTxn.key, 3],
  [apis.endTxn.key, 3],
  [apis.txnOffsetCommit.key, 3],
  [apis.describeConfigs.key, 4],
  [apis.createPartitions.key, 3],
  [apis.deleteGroups.key, 2],
])

export interface Older {
  readonly broker: RemoteBroker
  readonly cluster: KafkaCluster
  /** Versions of the requests with that number. */
  asked(key: number): readonly number[]
  /** How many of them are not answered. */
  waiting(key: number): number
}

/** @param alter is shown what else is answered, by the number of the request */
export async function older(
  brokers: readonly string[],
  newest: Newest,
  alter: (key: number, version: number, answer: Buffer) => Buffer = (_key, _version, answer) => answer,
): Promise<Older> {
  const asked = new Map<number, Set<number>>()
  const waiting = new Map<number, number>()
  const count = (key: number, more: number): void => void waiting.set(key, (waiting.get(key) ?? 0) + more)
  const client = await loadClient(undefined, { clientId: 'older' })
  const wrap = (connection: KafkaConnection): KafkaConnection => ({
    get open() {
      return connection.open
    },
    async send(request, body) {
      asked.set(request.key, (asked.get(request.key) ?? new Set()).add(request.version))
      count(request.key, 1)
      const answer = await connection.send(request, body).finally(() => count(request.key, -1))
      const { key, version } = request
      return key === apis.apiVersions.key ? cut(answer, version, newest) : alter(key, version, answer)
    },
    close: () => connection.close(),
  })
  const direct = client.direct as NonNullable<KafkaClient['direct']>
  const wrapped: KafkaClient = {
    name: client.name,
    connect: async (...where) => wrap(await client.connect(...where)),
    direct: async (...where) => wrap(await direct(...where)),
  }
  const cluster = new KafkaCluster(wrapped, brokers)
  const plain = kafkaBroker({ brokers })
  const broker: BrokerParts = {
    kind: 'kafka',
    producer: plain.producer.bind(plain),
    consumer: plain.consumer.bind(plain),
    [remote]: async (where?: { readonly apart: boolean }): Promise<RemoteLog> => {
      const log = new KafkaLog(cluster, {}, async () => {})
      return where?.apart ? acrossPort(log) : log
    },
    [Symbol.asyncDispose]: () => cluster.close(),
  } as BrokerParts
  return {
    broker: broker as RemoteBroker,
    cluster,
    asked: (key) => [...(asked.get(key) ?? [])],
    waiting: (key) => waiting.get(key) ?? 0,
  }
}

/** As apps use it, though both ends are in this thread. */
function acrossPort(log: RemoteLog): RemoteLog {
  const { port1, port2 } = new MessageChannel()
  new LogServer(log, port1, () => {})
  return new PortLog(port2)
}

/** Without what it has agreed on, too: old clusters know of none of that. */
function cut(answer: Buffer, version: number, newest: Newest): Buffer {
  const whole = apis.apiVersions.response.read(new Reader(answer), version)
  const known = whole.apis.flatMap(({ key, min, max }) => {
    const most = newest.get(key)
    return most === undefined ? [] : [{ key, min: Math.min(min, most), max: Math.min(max, most) }]
  })
  const response = { ...apis.apiVersions, request: apis.apiVersions.response }
  return encodeRequest(response, { ...whole, apis: known, featuresEpoch: 0, features: [] }, version)
}
