/** The engine's source alone: fetched, checked, read committed, decoded into columns; with `json` each value is parsed too. */
import { remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/index.ts'
import type { Order } from '../../../workload/orders.ts'
import { type RunJob, watch } from '../job.ts'

export const run: RunJob = async ({ brokers, input, partitions, warmUp, records, variant }) => {
  const broker = kafkaBroker({ brokers })
  const log = await broker[remote]()
  let wake = (): void => {}
  const reader = log.reader({ onData: () => wake() })
  const positions = new Array<number>(partitions).fill(0)
  for (let partition = 0; partition < partitions; partition++) reader.add(input, partition, 0)
  let seen = 0
  let sum = 0
  const until = async (count: number): Promise<void> => {
    while (seen < count) {
      const news = new Promise<void>((resolve) => void (wake = resolve))
      const before = seen
      for (let partition = 0; partition < partitions; partition++) {
        const batch = reader.take(input, partition, positions[partition] as number)
        if (batch === undefined) continue
        positions[partition] = batch.nextOffset
        seen += batch.count
        const { data, valueStart, valueEnd } = batch
        for (let i = 0; i < batch.count; i++) {
          if (variant === 'json') sum += (JSON.parse(data.utf8Slice(valueStart[i], valueEnd[i])) as Order).amount
          else sum += data[(valueEnd[i] as number) - 1] as number
        }
        reader.done(batch)
      }
      if (seen === before) await news
      else await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await until(warmUp)
  const before = seen
  const took = watch()
  await until(warmUp + records)
  const figures = took(seen - before)
  await log.release()
  return { ...figures, outcome: { rows: seen, checksum: String(sum) } }
}
