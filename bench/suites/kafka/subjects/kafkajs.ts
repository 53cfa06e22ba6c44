/** Plain loops with kafkajs, as its documentation writes them: state in no store, positions committed by the library. */
import { CompressionTypes, Kafka, logLevel, type Message, Partitioners } from 'kafkajs'
import type { Order } from '../../../workload/orders.ts'
import { type Figures, type KafkaJob, type RunJob, watch } from '../job.ts'
import { sinkRow } from './sink-row.ts'

/** Records of one request. */
const most = 2_000

export const run: RunJob = async (job) => {
  const kafka = new Kafka({ brokers: [...job.brokers], clientId: 'loop', logLevel: logLevel.ERROR })
  return job.case === 'sink' ? write(kafka, job) : read(kafka, job)
}

async function write(kafka: Kafka, { output, warmUp, records }: KafkaJob): Promise<Figures> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  let took = watch()
  for (let i = 0; i < warmUp + records; ) {
    if (i >= warmUp && i - most < warmUp) took = watch()
    const messages: Message[] = []
    for (; messages.length < most && i < warmUp + records; i++) messages.push(sinkRow(i))
    await producer.send({ topic: output, messages, acks: -1, compression: CompressionTypes.None })
  }
  const figures = took(records)
  await producer.disconnect()
  return figures
}

async function read(kafka: Kafka, job: KafkaJob): Promise<Figures> {
  const { input, output, warmUp, records, variant } = job
  const consumer = kafka.consumer({ groupId: job.app })
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await Promise.all([consumer.connect(), producer.connect()])
  await consumer.subscribe({ topic: input, fromBeginning: true })
  const done = Promise.withResolvers<void>()
  let seen = 0
  let sum = 0
  let took = watch()
  let before = 0
  await consumer.run({
    partitionsConsumedConcurrently: 4,
    eachBatch: async ({ batch }) => {
      const messages: Message[] = []
      for (const { key, value } of batch.messages) {
        if (value === null) continue
        if (variant === 'decoded') sum += value.at(-1) as number
        else {
          const { amount, city, customer } = JSON.parse(value.toString()) as Order
          if (variant === 'json') sum += amount
          else if (amount >= 1000 && city !== 'city-7')
            messages.push({ key, value: JSON.stringify({ customer, amount: amount * 0.9, city }) })
        }
      }
      for (let i = 0; i < messages.length; i += most)
        await producer.send({ topic: output, messages: messages.slice(i, i + most) })
      const first = seen < warmUp
      seen += batch.messages.length
      if (first && seen >= warmUp) {
        before = seen
        took = watch()
      }
      if (seen >= warmUp + records) done.resolve()
    },
  })
  await done.promise
  const figures = took(seen - before)
  await consumer.disconnect()
  await producer.disconnect()
  return job.case === 'source' ? { ...figures, outcome: { rows: seen, checksum: String(sum) } } : figures
}
