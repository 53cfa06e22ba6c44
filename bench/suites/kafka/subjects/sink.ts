/** The engine's sink alone: rows that lie in memory become batches with sequence numbers, and are acknowledged. */
import { FrameBuilder } from '../../../../src/connectors/broker/frame-builder.ts'
import { readFrames } from '../../../../src/connectors/broker/frame.ts'
import { remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/index.ts'
import { type RunJob, watch } from '../job.ts'
import { sinkRow } from './sink-row.ts'

/** Bytes that may wait for an acknowledgement. */
const mostWaiting = 32 << 20

export const run: RunJob = async ({ brokers, output, partitions, warmUp, records }) => {
  const broker = kafkaBroker({ brokers })
  const log = await broker[remote]()
  const writer = log.writer()
  await writer.init()
  const builders = Array.from({ length: partitions }, () => new FrameBuilder())
  let waiting = 0
  let room = (): void => {}
  const send = async (partition: number): Promise<void> => {
    const frame = (builders[partition] as FrameBuilder).finish()
    const rows = readFrames(output, partition, [frame], Number.NEGATIVE_INFINITY)
    if (rows === undefined) return
    waiting += frame.length
    void writer.send(output, partition, rows).then(() => {
      waiting -= frame.length
      room()
    })
    while (waiting > mostWaiting) await new Promise<void>((resolve) => void (room = resolve))
  }
  const write = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) {
      const partition = i % partitions
      const builder = builders[partition] as FrameBuilder
      const { key, value } = sinkRow(i)
      builder.add(key, value, 1_700_000_000_000 + i)
      if (builder.full) await send(partition)
    }
    for (const [partition, builder] of builders.entries()) if (builder.count > 0) await send(partition)
    await writer.flush()
  }
  await write(0, warmUp)
  const took = watch()
  await write(warmUp, warmUp + records)
  const figures = took(records)
  await log.release()
  return figures
}
