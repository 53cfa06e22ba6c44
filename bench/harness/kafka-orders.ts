/** The orders of all suites in a topic, keyed by customer, and what lies in an output topic. */
import { FrameBuilder } from '../../src/connectors/broker/frame-builder.ts'
import { readFrames } from '../../src/connectors/broker/frame.ts'
import type { FetchedBatch } from '../../src/connectors/broker/log.ts'
import type { RemoteLog, RemoteReader, RemoteWriter } from '../../src/connectors/broker/remote.ts'
import { partitionOf } from '../../src/connectors/broker/partitioner.ts'
import { parseRecord, readWorkload } from '../workload/chunks.ts'
import type { Order } from '../workload/orders.ts'
import type { Outcome } from './run.ts'
import { RowSink } from './sink.ts'

/** Batches of this size are what producers with usual settings write. */
const batchBytes = 16_384
/** Batches that are on their way to a partition. */
const mostUnderWay = 16

/** Into a topic that is made for it. */
export async function loadOrders(
  log: RemoteLog,
  workload: string,
  topic: string,
  partitions: number,
  records: number,
): Promise<void> {
  await log.createTopics([lastingTopic(topic, partitions)])
  const writer = log.writer()
  await writer.init()
  await sendOrders(writer, topic, partitions, { workload, from: 0, to: records })
}

/** Brokers delete old records by their timestamps, and those of orders are old. */
export const lastingTopic = (name: string, partitions: number) => ({
  name,
  partitions,
  configs: { 'retention.ms': '-1' },
})

export interface OrderRange {
  /** File of a workload; from its order number `from` to before `to`. */
  readonly workload: string
  readonly from: number
  readonly to: number
}

/** Resolves when the broker has them; a transaction stays open. */
export async function sendOrders(
  writer: RemoteWriter,
  topic: string,
  partitions: number,
  { workload, from, to }: OrderRange,
): Promise<void> {
  const builders = Array.from({ length: partitions }, () => new FrameBuilder({ frameBytes: batchBytes }))
  const underWay: Promise<unknown>[] = []
  const send = async (partition: number): Promise<void> => {
    const frame = (builders[partition] as FrameBuilder).finish()
    const rows = readFrames(topic, partition, [frame], Number.NEGATIVE_INFINITY)
    if (rows === undefined) return
    underWay.push(writer.send(topic, partition, rows))
    if (underWay.length >= mostUnderWay * partitions) await underWay.shift()
  }
  let before = 0
  for (const chunk of readWorkload(workload, to)) {
    for (let i = Math.max(0, from - before); i < Math.min(chunk.count, to - before); i++) {
      const { customer, ts } = parseRecord<Order>(chunk, i)
      const key = Buffer.from(String(customer))
      const partition = partitionOf(key, partitions)
      const builder = builders[partition] as FrameBuilder
      builder.add(key, chunk.bytes.subarray(chunk.offsets[i], chunk.offsets[i + 1]), ts)
      if (builder.full) await send(partition)
    }
    before += chunk.count
  }
  for (const [partition, builder] of builders.entries()) if (builder.count > 0) await send(partition)
  await Promise.all(underWay)
  await writer.flush()
}

/** Reads what is committed in a topic, from its start on, as it comes. */
export class CommittedRows {
  /** By partition: the offset that is read next. */
  readonly positions: number[]
  #rows = 0
  readonly #topic: string
  readonly #reader: RemoteReader
  readonly #onRows: ((batch: FetchedBatch) => void) | undefined
  #wake = (): void => {}

  constructor(log: RemoteLog, topic: string, partitions: number, onRows?: (batch: FetchedBatch) => void) {
    this.#topic = topic
    this.#onRows = onRows
    this.positions = Array.from({ length: partitions }, () => 0)
    this.#reader = log.reader({ onData: () => this.#wake() })
    for (const partition of this.positions.keys()) this.#reader.add(topic, partition, 0)
  }

  /** So many were read. */
  get count(): number {
    return this.#rows
  }

  async until(enough: () => boolean): Promise<void> {
    while (!enough()) {
      const news = new Promise<void>((resolve) => void (this.#wake = resolve))
      if (this.#take()) await new Promise((resolve) => setImmediate(resolve))
      else await news
    }
  }

  #take(): boolean {
    let moved = false
    for (const [partition, position] of this.positions.entries()) {
      const batch = this.#reader.take(this.#topic, partition, position)
      if (batch === undefined) continue
      moved = true
      this.positions[partition] = batch.nextOffset
      this.#rows += batch.count
      this.#onRows?.(batch)
      this.#reader.done(batch)
    }
    return moved
  }

  close(): Promise<void> {
    return this.#reader.close()
  }
}

/** All that is committed in a topic: how much, and its checksum. */
export async function outcomeOf(log: RemoteLog, topic: string, partitions: number): Promise<Outcome> {
  const sink = new RowSink()
  const where = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const ends = await log.offsets(where, 'latest', true)
  const rows = new CommittedRows(log, topic, partitions, ({ count, data, valueStart, valueEnd }) => {
    for (let i = 0; i < count; i++) sink.bytes(data.subarray(valueStart[i], valueEnd[i]))
    sink.drain()
  })
  await rows.until(() => rows.positions.every((at, i) => at >= (ends[i] as number)))
  await rows.close()
  return sink.outcome()
}

/** Of an app, with those that it has made itself. */
export async function removeTopics(log: RemoteLog, app: string): Promise<void> {
  await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
}
