import type { RemoteLog, RemoteTopic } from '../../connectors/broker/remote.ts'
import type { FetchedBatch } from '../../connectors/broker/log.ts'
import { after, statePrefix } from '../../state/stores/index.ts'
import type { Logger } from '../app/logger.ts'
import { applyRows, indexesOf, type RowsAt, type Wanted } from './apply-rows.ts'
import type { Changelog, ChangelogRows } from './changelog.ts'
import type { LocalRows, LocalState } from './local-state.ts'
import { sumOfChangelog, sumOfRows } from './row-sum.ts'

/** Half of the time for which a deletion stays in a compacted topic, where the topic does not say: a day. */
const freshFor = 12 * 3_600_000

export interface RestoreProgress {
  readonly store: string
  readonly partition: number
  /** Records that were read of those that had to be. */
  readonly done: number
  readonly total: number
  /** How long the rest will take at the present rate, ms. */
  readonly remaining: number
}

export interface Restore {
  readonly log: RemoteLog
  readonly local: LocalState
  readonly rows: ChangelogRows
  readonly wanted: readonly Wanted[]
  /** All that exist, by name. */
  readonly topics: ReadonlyMap<string, RemoteTopic>
  /** Names of stores that have rows here. */
  readonly stores: Iterable<string>
  readonly logger: Logger
  readonly tell: (progress: RestoreProgress) => void
  /** What was read until then stays. */
  readonly signal: AbortSignal
  /** Most bytes a second; default: as fast as it goes. */
  readonly bytesPerSecond?: number
  /** Tasks run in this thread meanwhile: it is held only for moments. */
  readonly gently?: boolean
  /** The rows are held to all of their changelogs, however they came here; what differs is read anew. */
  readonly verify?: boolean
  /** Where they are to be, where that is not the end: somebody may write on. */
  readonly until?: (topic: string, partition: number) => number
}

interface Restoring extends RowsAt {
  readonly from: number
  readonly end: number
  /** What was read and is not written yet, and where to read on behind it. */
  readonly batches: FetchedBatch[]
  next: number
  rows: number
  told: number
}

/** Written at once where tasks of this thread wait for it. */
const gentleBytes = 1 << 20

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

/** Where the local rows of a partition can be brought on from; they are cleared where that is the start. */
export function beginAt(
  {
    local,
    rows,
    topics,
    logger,
    stores,
  }: Pick<Restore, 'rows' | 'topics' | 'logger' | 'stores'> & {
    readonly local: LocalRows
  },
  { log, partition }: Wanted,
  start: number,
  end: number,
): number {
  const { topic } = log
  const known = local.position(topic, partition)
  const usable =
    known !== undefined &&
    known.topicId === (topics.get(topic)?.id ?? '') &&
    known.offset >= start &&
    known.offset <= end &&
    (known.offset === end || Date.now() - known.at < (log.tombstonesFor ?? 2 * freshFor) / 2)
  if (usable) return known.offset
  if (known !== undefined) logger.warn({ topic, partition, known, start, end }, 'the local state is read anew')
  clear(local, rows, log, partition, stores)
  return start
}

/** What waits to be written is written after this time, though there is little of it; ms. */
const longestWait = 200

/**
 * Reads them all to their ends, ahead of what is written: rows are put in order, and the more of them the faster the database
 * takes them.
 */
async function read(restore: Restore, all: readonly Restoring[]): Promise<void> {
  const { log, local, tell, signal, bytesPerSecond } = restore
  const atOnce = restore.gently === true ? gentleBytes : local.bulkBytes
  let wake = (): void => {}
  const stop = (): void => wake()
  signal.addEventListener('abort', stop)
  const reader = log.reader({ onData: () => wake() })
  const began = performance.now()
  let bytes = 0
  let waiting = 0
  let since = began
  const write = (): void => {
    const some = all.filter(({ batches }) => batches.length > 0)
    if (some.length === 0) return
    applyRows(
      local,
      restore.rows,
      some.map((state) => ({ state, batches: state.batches, end: state.end })),
    )
    waiting = 0
    for (const one of some) {
      for (const batch of one.batches) reader.done(batch)
      one.batches.length = 0
      tellOf(one, tell, began)
    }
  }
  try {
    for (const one of all) reader.add(one.log.topic, one.partition, one.from)
    let left = all
    while (left.length > 0 && !signal.aborted) {
      const news = new Promise<void>((resolve) => {
        wake = resolve
        if (signal.aborted) resolve()
      })
      let moved = false
      for (const one of left) {
        const batch = reader.take(one.log.topic, one.partition, one.next)
        if (batch === undefined) continue
        if (waiting === 0) since = performance.now()
        moved = true
        one.next = batch.nextOffset
        one.rows += batch.count
        one.batches.push(batch)
        bytes += batch.data.length
        // of markers of transactions there is nothing but the position
        waiting += Math.max(1, batch.data.length)
        if (waiting >= atOnce) write()
      }
      left = left.filter(({ next, end }) => next < end)
      const pause = bytesPerSecond === undefined ? 0 : began + (bytes / bytesPerSecond) * 1000 - performance.now()
      if (left.length === 0 || pause > longestWait || performance.now() - since > longestWait) write()
      if (left.length === 0) break
      if (moved) await breathe(pause)
      else {
        const late = waiting > 0 ? setTimeout(wake, longestWait) : undefined
        await news
        clearTimeout(late)
      }
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await reader.close()
  }
}

const tellEvery = 500

function tellOf(one: Restoring, tell: (progress: RestoreProgress) => void, began: number): void {
  const now = performance.now()
  // markers of transactions are no rows
  if (one.rows === 0 || (one.at < one.end && now - one.told < tellEvery)) return
  one.told = now
  const [done, total] = [one.at - one.from, one.end - one.from]
  const remaining = Math.round(((now - began) / Math.max(1, done)) * Math.max(0, total - done))
  tell({ store: one.log.store ?? one.log.topic, partition: one.partition, done, total, remaining })
}

function clear(
  local: LocalRows,
  rows: ChangelogRows,
  log: Changelog,
  partition: number,
  known: Iterable<string>,
): void {
  const indexed = indexesOf(local, rows, log)?.prefixes(rows.idOf(log.store as string, log.sub), partition) ?? []
  for (const prefix of [...prefixesOf(rows, log, partition, known), ...indexed])
    local.backend.clearRange(prefix, after(prefix))
  local.forgetPosition(log.topic, partition)
}

/** Of the local rows that a changelog's partition stands for. */
function prefixesOf(rows: ChangelogRows, { store, sub }: Changelog, partition: number, known: Iterable<string>) {
  const names = store === undefined ? rows.sharedStores(sub, known) : [store]
  return names.map((name) => statePrefix(rows.idOf(name, sub), partition))
}

const breathe = (ms: number): Promise<void> =>
  new Promise((resolve) => (ms > 1 ? setTimeout(resolve, ms) : setImmediate(resolve)))
