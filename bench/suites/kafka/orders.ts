/** The orders of all suites in a topic, keyed by customer, and what lies in an output topic. */
import { FrameBuilder } from '../../../src/connectors/broker/frame-builder.ts'
import { readFrames } from '../../../src/connectors/broker/frame.ts'
import type { RemoteLog } from '../../../src/connectors/broker/remote.ts'
import { partitionOf } from '../../../src/connectors/broker/partitioner.ts'
import { RowSink } from '../../harness/sink.ts'
import type { Outcome } from '../../harness/run.ts'
import { parseRecord, readWorkload } from '../../workload/chunks.ts'
import type { Order } from '../../workload/orders.ts'

/** Batches of this size are what producers with usual settings write. */
const batchBytes = 16_384
/** Batches that are on their way to a partition. */
const mostUnderWay = 16

export async function loadOrders(
  log: RemoteLog,
  workload: string,
  topic: string,
  partitions: number,
  records: number,
): Promise<void> {
  await log.createTopics([{ name: topic, partitions, configs: { 'retention.ms': '-1' } }])
  const writer = log.writer()
  await writer.init()
  const builders = Array.from({ length: partitions }, () => new FrameBuilder({ frameBytes: batchBytes }))
  const underWay: Promise<unknown>[] = []
  const send = async (partition: number): Promise<void> => {
    const rows = readFrames(
      topic,
      partition,
      [(builders[partition] as FrameBuilder).finish()],
      Number.NEGATIVE_INFINITY,
    )
    if (rows === undefined) return
    underWay.push(writer.send(topic, partition, rows))
    if (underWay.length >= mostUnderWay * partitions) await underWay.shift()
  }
  for (const chunk of readWorkload(workload, records)) {
    for (let i = 0; i < chunk.count; i++) {
      const { customer, ts } = parseRecord<Order>(chunk, i)
      const key = Buffer.from(String(customer))
      const partition = partitionOf(key, partitions)
      const builder = builders[partition] as FrameBuilder
      builder.add(key, chunk.bytes.subarray(chunk.offsets[i], chunk.offsets[i + 1]), ts)
      if (builder.full) await send(partition)
    }
  }
  for (const [partition, builder] of builders.entries()) if (builder.count > 0) await send(partition)
  await Promise.all(underWay)
  await writer.flush()
}

/** All that is committed in a topic: how much, and its checksum. */
export async function outcomeOf(log: RemoteLog, topic: string, partitions: number): Promise<Outcome> {
  const sink = new RowSink()
  const where = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const ends = await log.offsets(where, 'latest', true)
  let wake = (): void => {}
  const reader = log.reader({ onData: () => wake() })
  const positions = ends.map(() => 0)
  for (const { partition } of where) reader.add(topic, partition, 0)
  while (positions.some((at, i) => at < (ends[i] as number))) {
    const news = new Promise<void>((resolve) => void (wake = resolve))
    let moved = false
    for (const { partition } of where) {
      const batch = reader.take(topic, partition, positions[partition] as number)
      if (batch === undefined) continue
      moved = true
      positions[partition] = batch.nextOffset
      for (let i = 0; i < batch.count; i++) sink.bytes(batch.data.subarray(batch.valueStart[i], batch.valueEnd[i]))
      sink.drain()
    }
    if (!moved) await news
    else await new Promise((resolve) => setImmediate(resolve))
  }
  await reader.close()
  return sink.outcome()
}
