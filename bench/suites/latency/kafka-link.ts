import { Kafka, logLevel } from 'kafkajs'
import { kafkaBroker } from '../../../src/index.ts'
import { type Link, topics } from './link.ts'

/** Records of one request: brokers take a megabyte in one. */
const most = 2_000

/** A Kafka on this machine; sent to and read from by kafkajs, so that the engine's own client does not measure itself. */
export async function kafkaLink(brokers: readonly string[]): Promise<Link> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'latency', logLevel: logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  const mine = async (): Promise<string[]> =>
    (await admin.listTopics()).filter((name) => name.startsWith('latency-') || Object.values(topics).includes(name))
  await admin.deleteTopics({ topics: await mine() })
  await admin.createTopics({
    waitForLeaders: true,
    topics: Object.values(topics).map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })),
  })
  const broker = kafkaBroker({ brokers: [...brokers] })
  const producer = kafka.producer()
  await producer.connect()
  const consumer = kafka.consumer({ groupId: `latency-reader-${process.pid}`, maxWaitTimeInMs: 5 })
  return {
    broker,
    keyed: true,
    async send(keys, values) {
      for (let from = 0; from < values.length; from += most) {
        const messages = values.slice(from, from + most).map((value, i) => ({ key: keys[from + i] as string, value }))
        await producer.send({ topic: topics.input, messages })
      }
    },
    async listen(onRow) {
      await consumer.connect()
      await consumer.subscribe({ topic: topics.output, fromBeginning: true })
      const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
      await consumer.run({
        eachBatch: async ({ batch }) => {
          for (const { value } of batch.messages) if (value !== null) onRow(value.toString())
        },
      })
      await joined
    },
    async [Symbol.asyncDispose]() {
      await consumer.disconnect()
      await producer.disconnect()
      await admin.deleteTopics({ topics: await mine() })
      await admin.disconnect()
      await broker[Symbol.asyncDispose]?.()
    },
  }
}
