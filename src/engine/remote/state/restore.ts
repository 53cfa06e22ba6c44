import type { LocalState } from './local-state.ts'
import type { Wanted } from './apply-rows.ts'
import { beginAt, clear, type Places, prefixesOf } from './begin-at.ts'
import { read, type Reading, type Restoring } from './read-changelogs.ts'
import { sumOfChangelog, sumOfRows } from './row-sum.ts'

export interface Restore extends Reading, Places {
  readonly local: LocalState
  readonly wanted: readonly Wanted[]
  /** The rows are held to all of their changelogs, however they came here; what differs is read anew. */
  readonly verify?: boolean
  /** Where they are to be, where that is not the end: somebody may write on. */
  readonly until?: (topic: string, partition: number) => number
}

/**
 * Brings the local rows of these partitions to where their changelogs are. To be called when nobody can write to them any
 * more: transactions that are still open are waited for. What the local rows cannot be brought on from is read from the start:
 * a position that is gone from the topic, one of another topic of that name, one so old that deletions may be gone.
 */
export async function restore(restore: Restore): Promise<void> {
  const { log, wanted } = restore
  const where = wanted.map((one) => ({ topic: one.log.topic, partition: one.partition }))
  const [starts, ends] = await Promise.all([log.offsets(where, 'earliest'), log.offsets(where, 'latest', true)])
  const restoring = wanted.flatMap((one, i): Restoring[] => {
    const start = starts[i] as number
    const end = restore.until?.(one.log.topic, one.partition) ?? (ends[i] as number)
    const from = beginAt(restore, one, start, end)
    return from < end ? [beginning(restore, one, from, end)] : []
  })
  if (restoring.length > 0) await read(restore, restoring)
  if (restore.verify !== true || restore.signal.aborted) return
  const wrong: Restoring[] = []
  for (const [i, one] of wanted.entries()) {
    const [start, end] = [starts[i] as number, ends[i] as number]
    if (await isChangelog(restore, one, start, end)) continue
    clear(restore.local, restore.rows, one.log, one.partition, restore.stores)
    wrong.push(beginning(restore, one, start, end))
  }
  if (wrong.length > 0 && !restore.signal.aborted) await read(restore, wrong)
}

const beginning = ({ topics }: Restore, one: Wanted, from: number, end: number): Restoring => ({
  ...one,
  topicId: topics.get(one.log.topic)?.id ?? '',
  at: from,
  from,
  next: from,
  end,
  batches: [],
  rows: 0,
  told: performance.now(),
})

/** Equal rows have equal sums, whatever their order. */
async function isChangelog(
  { log, local, rows, stores, logger, signal }: Restore,
  wanted: Wanted,
  start: number,
  end: number,
): Promise<boolean> {
  const prefixes = prefixesOf(rows, wanted.log, wanted.partition, stores)
  const here = sumOfRows(local.backend, prefixes)
  const there = await sumOfChangelog(log, rows, wanted, start, end, signal)
  if (there === undefined || (there.rows === here.rows && there.sum === here.sum)) return true
  const { topic } = wanted.log
  const found = { topic, partition: wanted.partition, local: here, changelog: there }
  logger.warn(found, 'the local rows are not those of their changelog: they are read anew')
  return false
}
