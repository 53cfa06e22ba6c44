import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { FrameBuilder } from '../../../src/connectors/broker/frame-builder.ts'
import { readFrames } from '../../../src/connectors/broker/frame.ts'
import { remote } from '../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../src/index.ts'
import type { Read } from './kafka-reader.ts'
import { type Link, topics } from './link.ts'

/** Rows of one batch: brokers take a megabyte in one. */
const most = 2_000

/**
 * A Kafka on this machine; sent to and read from by the same code that the engine sends and reads with, in another process. A client
 * that is slower (kafkajs carried 40,000 records a second, and took most of two processors for it) would measure itself.
 */
export async function kafkaLink(brokers: readonly string[]): Promise<Link> {
  const broker = kafkaBroker({ brokers: [...brokers] })
  const log = await broker[remote]()
  const mine = async (): Promise<string[]> =>
    (await log.topics())
      .map(({ name }) => name)
      .filter((name) => name.startsWith('latency-') || Object.values(topics).includes(name))
  await log.deleteTopics(await mine())
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions: 1, configs: {} })))
  const writer = log.writer()
  await writer.init()
  const builder = new FrameBuilder({ checksum: false })
  let reader: Worker | undefined
  return {
    broker,
    keyed: true,
    async send(keys, values) {
      const sent: Promise<number>[] = []
      for (let from = 0; from < values.length; from += most) {
        const to = Math.min(values.length, from + most)
        for (let i = from; i < to; i++)
          builder.add(Buffer.from(keys[i] as string), Buffer.from(values[i] as string), Date.now())
        const rows = readFrames(topics.input, 0, [builder.finish()], Number.NEGATIVE_INFINITY)
        if (rows !== undefined) sent.push(writer.send(topics.input, 0, rows))
      }
      await Promise.all(sent)
    },
    async listen(onRows) {
      const thread = new Worker(new URL('kafka-reader.ts', import.meta.url), { workerData: brokers })
      reader = thread
      const reads = once(thread, 'message')
      thread.on('message', ({ rows, at }: Read) => onRows(rows, at))
      await reads
    },
    async [Symbol.asyncDispose]() {
      if (reader !== undefined) {
        const ended = once(reader, 'exit')
        reader.postMessage('over')
        await ended
      }
      await writer.close()
      await log.deleteTopics(await mine())
      await log.release()
      await broker[Symbol.asyncDispose]?.()
    },
  }
}
