import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { RemoteLog } from '../../connectors/broker/remote.ts'

/** What is committed of a partition in [from, end); waits for what is not decided yet. The first batch may begin earlier. */
export async function* readRange(
  log: RemoteLog,
  topic: string,
  partition: number,
  from: number,
  end: number,
): AsyncGenerator<FetchedBatch> {
  let wake = (): void => {}
  const reader = log.reader({ onData: () => wake() })
  try {
    reader.add(topic, partition, from)
    for (let at = from; at < end; ) {
      const news = new Promise<void>((resolve) => (wake = resolve))
      const batch = reader.take(topic, partition, at)
      if (batch === undefined) await news
      else {
        at = batch.nextOffset
        yield batch
      }
    }
  } finally {
    await reader.close()
  }
}
