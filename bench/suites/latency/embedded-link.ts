import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { embeddedBroker, serdes } from '../../../src/index.ts'
import { type Link, topics } from './link.ts'
import { putRow, rowMemory } from './row.ts'
import { clock } from './trace.ts'

/** The broker in this process: rows are seen as soon as they are appended, which is when they are committed. */
export async function embeddedLink(dir: string): Promise<Link> {
  const broker = embeddedBroker({ dir, partitions: 1 })
  const { log, ensureTopic, release } = await openEmbedded(broker)
  ensureTopic(topics.output)
  const producer = broker.producer<never, string>(topics.input, { value: serdes.string() })
  let at = 0
  let listening: Disposable | undefined
  return {
    broker,
    keyed: false,
    async send(_, values) {
      for (const value of values) void producer.send({ value })
      await producer.flush()
    },
    async listen(onRows) {
      listening = log.onAppend((all) => {
        if (!all.some(({ topic }) => topic === topics.output)) return
        const now = clock()
        for (
          let batch = log.fetch(topics.output, 0, at);
          batch !== undefined;
          batch = log.fetch(topics.output, 0, at)
        ) {
          at = batch.nextOffset
          const { count, data, valueStart, valueEnd } = batch
          const rows = rowMemory(count)
          for (let i = 0; i < count; i++) putRow(rows, i, data.toString('latin1', valueStart[i], valueEnd[i]))
          onRows(rows, now)
        }
      })
    },
    async [Symbol.asyncDispose]() {
      listening?.[Symbol.dispose]()
      await producer.close()
      await release()
      await broker[Symbol.asyncDispose]?.()
    },
  }
}
