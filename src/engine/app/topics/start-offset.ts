import type { ReadableLog } from '../../../connectors/broker/log.ts'
import type { SourceNode } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'

/**
 * Where a source begins in the embedded log that has no position there yet.
 *
 * @param latest where the partition ended when the app was started
 * @throws DhaaraError DHAARA_POSITION_NONE
 */
export function startOffsetOf(
  log: ReadableLog,
  { offsetReset }: SourceNode,
  topic: string,
  partition: number,
  latest: () => number,
): number {
  if (offsetReset === 'latest') return latest()
  if (offsetReset === 'none') throw noPosition([`${topic}[${partition}]`])
  if (offsetReset === 'earliest') return log.startOffset(topic, partition)
  return firstFrom(log, topic, partition, offsetReset.timestamp)
}

/** The first record that is not older; the end, where all are. No index: the log is read up to there. */
function firstFrom(log: ReadableLog, topic: string, partition: number, timestamp: number): number {
  let at = log.startOffset(topic, partition)
  for (;;) {
    const batch = log.fetch(topic, partition, at)
    if (batch === undefined) return at
    for (let i = 0; i < batch.count; i++)
      if ((batch.offsets[i] as number) >= at && (batch.timestamps[i] as number) >= timestamp)
        return batch.offsets[i] as number
    at = batch.nextOffset
  }
}

export const noPosition = (where: readonly string[]): DhaaraError =>
  new DhaaraError(
    'DHAARA_POSITION_NONE',
    `There is no position yet in ${where.join(', ')}, and its source has offsetReset: 'none'. Start it once with 'earliest', 'latest' or { timestamp }`,
  )
