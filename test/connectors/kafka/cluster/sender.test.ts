import assert from 'node:assert/strict'
import { remote } from '../../../../src/connectors/broker/remote.ts'
import { type KafkaClient, loadClient } from '../../../../src/connectors/kafka/client/index.ts'
import { KafkaCluster } from '../../../../src/connectors/kafka/cluster.ts'
import { kafkaBroker } from '../../../../src/connectors/kafka/index.ts'
import { kafkaError } from '../../../../src/connectors/kafka/wire/errors.ts'
import { produce } from '../../../../src/connectors/kafka/wire/produce.ts'
import { Writer } from '../../../../src/connectors/kafka/wire/writer.ts'
import { KafkaWriter } from '../../../../src/connectors/kafka/writer.ts'
import { kafka, unique } from '../broker.ts'
import { textRows } from '../rows.ts'
import { readAll } from './read.ts'

/** Answers the named produce requests (0: the first) itself, as a broker that does not lead yet does. */
function refusing(
  client: KafkaClient,
  refused: ReadonlySet<number>,
  topic: string,
  error: number = kafkaError.notLeader,
): KafkaClient {
  let count = 0
  const partition = {
    partition: 0,
    error,
    base: -1,
    appendTime: -1,
    logStart: -1,
    recordErrors: [],
    message: null,
  }
  return {
    name: client.name,
    async connect(host, port, timeoutMs) {
      const connection = await client.connect(host, port, timeoutMs)
      return {
        get open() {
          return connection.open
        },
        close: () => connection.close(),
        async send(request, body) {
          if (request.key !== produce.key || !refused.has(count++)) return connection.send(request, body)
          const answer = new Writer()
          produce.response.write(
            answer,
            { topics: [{ name: topic, partitions: [partition] }], throttleMs: 0 },
            request.version,
          )
          return answer.bytes()
        },
      }
    },
  }
}

describe('the sender of batches', () => {
  for (const refused of [[0], [1], [0, 1, 3], [2, 5]]) {
    it(`keeps the order of batches when requests ${refused} find no leader`, async () => {
      const brokers = await kafka()
      const topic = unique('sender')
      const broker = kafkaBroker({ brokers })
      const log = await broker[remote]()
      await log.createTopics([{ name: topic, partitions: 1, configs: {} }])
      const client = refusing(await loadClient(undefined, { clientId: 'sender' }), new Set(refused), topic)
      const cluster = new KafkaCluster(client, brokers)
      const writer = new KafkaWriter(cluster)
      await writer.init()
      const values = Array.from({ length: 12 }, (_, i) => `value ${i}`)
      await Promise.all(values.map((value) => writer.send(topic, 0, textRows([value]))))
      assert.deepEqual(await readAll(log, topic, 0), values)
      await writer.close()
      await cluster.close()
      await log.deleteTopics([topic])
      await log.release()
    })
  }

  for (const [refused, goesOn] of [
    [[0, 1], true],
    [[2], false],
  ] as const) {
    const what = goesOn ? 'is sent again' : 'ends the transaction'
    it(`a batch that is in no transaction for a leader ${goesOn ? 'that took none yet' : 'that took others'} ${what}`, async () => {
      const brokers = await kafka()
      const topic = unique('sender')
      const log = await kafkaBroker({ brokers })[remote]()
      await log.createTopics([{ name: topic, partitions: 1, configs: {} }])
      const known = await loadClient(undefined, { clientId: 'sender' })
      const cluster = new KafkaCluster(refusing(known, new Set(refused), topic, kafkaError.invalidTxnState), brokers)
      const writer = new KafkaWriter(cluster, { transactionalId: unique('tx') })
      await writer.init()
      const values = ['a', 'b', 'c', 'd']
      const send = async (): Promise<void> => {
        for (const value of values) await writer.send(topic, 0, textRows([value]))
        await writer.commit([], undefined)
      }
      if (goesOn) await send()
      else {
        await assert.rejects(send(), { code: 'DHAARA_KAFKA_FENCED' })
        await writer.abort()
        await send()
      }
      assert.deepEqual(await readAll(log, topic, 0), values)
      await writer.close()
      await cluster.close()
      await log.deleteTopics([topic])
      await log.release()
    })
  }
})
