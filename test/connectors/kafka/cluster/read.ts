import type { FetchedBatch } from '../../../../src/connectors/broker/log.ts'
import type { ReaderOptions, RemoteLog } from '../../../../src/connectors/broker/remote.ts'
import { valuesOf } from '../rows.ts'

/**
 * Values of a partition from its start to its end, as soon as no transaction is open (its end is written a moment after the
 * commit returns); `stable`: to where it can be read at this moment.
 */
export async function readAll(
  log: RemoteLog,
  topic: string,
  partition: number,
  options: ReaderOptions & { readonly stable?: boolean } = {},
): Promise<string[]> {
  return (await readBatches(log, topic, partition, options)).flatMap(valuesOf)
}

export async function readBatches(
  log: RemoteLog,
  topic: string,
  partition: number,
  options: ReaderOptions & { readonly stable?: boolean } = {},
): Promise<FetchedBatch[]> {
  const where = [{ topic, partition }]
  const [start = 0] = await log.offsets(where, 'earliest')
  const [end = 0] = await log.offsets(where, 'latest', !options.stable)
  let wake = (): void => {}
  const reader = log.reader({ ...options, onData: () => wake() })
  reader.add(topic, partition, start)
  const batches: FetchedBatch[] = []
  for (let at = start; at < end; ) {
    const news = new Promise<void>((resolve) => {
      wake = resolve
    })
    const batch = reader.take(topic, partition, at)
    if (batch === undefined) await news
    else {
      batches.push(batch)
      at = batch.nextOffset
    }
  }
  await reader.close()
  return batches
}
