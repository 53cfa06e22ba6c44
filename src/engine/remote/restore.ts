import type { RemoteLog, RemoteTopic } from '../../connectors/broker/remote.ts'
import type { FetchedBatch } from '../../connectors/broker/log.ts'
import { after, RowWriter, statePrefix } from '../../state/stores/index.ts'
import type { Logger } from '../app/logger.ts'
import type { Indexes } from '../query/index.ts'
import type { Changelog, ChangelogRows } from './changelog.ts'
import type { LocalRows } from './local-state.ts'
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

/** A changelog's partition whose rows are to lie here. */
export interface Wanted {
  readonly log: Changelog
  readonly partition: number
}

export interface Restore {
  readonly log: RemoteLog
  readonly local: LocalRows
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
  /** The rows are held to all of their changelogs, however they came here; what differs is read anew. */
  readonly verify?: boolean
  /** Where they are to be, where that is not the end: somebody may write on. */
  readonly until?: (topic: string, partition: number) => number
}

/** Where the rows of a changelog's partition stand. */
export interface RowsAt extends Wanted {
  readonly topicId: string
  at: number
}

interface Restoring extends RowsAt {
  readonly from: number
  readonly end: number
  rows: number
  told: number
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
    const topicId = restore.topics.get(one.log.topic)?.id ?? ''
    return from < end ? [{ ...one, topicId, at: from, from, end, rows: 0, told: performance.now() }] : []
  })
  if (restoring.length > 0) await read(restore, restoring)
  if (restore.verify !== true || restore.signal.aborted) return
  const wrong: Restoring[] = []
  for (const [i, one] of wanted.entries()) {
    const [start, end] = [starts[i] as number, ends[i] as number]
    if (await isChangelog(restore, one, start, end)) continue
    clear(restore.local, restore.rows, one.log, one.partition, restore.stores)
    const topicId = restore.topics.get(one.log.topic)?.id ?? ''
    wrong.push({ ...one, topicId, at: start, from: start, end, rows: 0, told: performance.now() })
  }
  if (wrong.length > 0 && !restore.signal.aborted) await read(restore, wrong)
}

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
  { local, rows, topics, logger, stores }: Pick<Restore, 'local' | 'rows' | 'topics' | 'logger' | 'stores'>,
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

async function read({ log, local, rows, tell, signal, bytesPerSecond }: Restore, all: Restoring[]): Promise<void> {
  let wake = (): void => {}
  const stop = (): void => wake()
  signal.addEventListener('abort', stop)
  const reader = log.reader({ onData: () => wake() })
  const began = performance.now()
  let bytes = 0
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
        const batch = reader.take(one.log.topic, one.partition, one.at)
        if (batch === undefined) continue
        moved = true
        applyBatch(local, rows, one, batch, one.end)
        bytes += batch.data.length
        one.rows += batch.count
        reader.done(batch)
        tellOf(one, tell, began)
        if (one.at >= one.end) reader.remove(one.log.topic, one.partition)
      }
      left = left.filter(({ at, end }) => at < end)
      if (!moved) await news
      else await breathe(bytesPerSecond === undefined ? 0 : began + (bytes / bytesPerSecond) * 1000 - performance.now())
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

const copied = new RowWriter()
const mostCopied = 256

/**
 * Writes what was read of a changelog to the local rows, with the position that they equal then.
 *
 * @param end rows from that offset on are left out
 */
export function applyBatch(
  local: LocalRows,
  rows: ChangelogRows,
  state: RowsAt,
  batch: FetchedBatch,
  end = Number.POSITIVE_INFINITY,
): void {
  const { data, keyStart, keyEnd, valueStart, valueEnd } = batch
  const nextOffset = Math.min(batch.nextOffset, end)
  const count = nextOffset < batch.nextOffset ? countBefore(batch, end) : batch.count
  const write = local.backend.batch()
  const rowOf = rows.reader(state.log, state.partition)
  const indexes = indexesOf(local, rows, state.log)
  const last = indexes === undefined ? undefined : lastOfKeys(batch, count)
  for (let i = 0; i < count; i++) {
    const [keyFrom, keyTo] = [keyStart[i] as number, keyEnd[i] as number]
    if (last !== undefined && last.get(data.latin1Slice(keyFrom, keyTo)) !== i) continue
    const row = rowOf(data, keyFrom, keyTo)
    const [from, to] = [valueStart[i] as number, valueEnd[i] as number]
    // no view a record, unless it is large
    const large = to - from > mostCopied
    const value = from < 0 ? undefined : large ? data.subarray(from, to) : copied.reset().slice(data, from, to).view()
    indexes?.change(write, row, value)
    if (value === undefined) write.delete(row)
    else write.put(row, value)
  }
  state.at = nextOffset
  const position = { offset: nextOffset, topicId: state.topicId, at: Date.now() }
  local.setPosition(write, state.log.topic, state.partition, position)
  write.commit()
}

function countBefore({ offsets, count }: FetchedBatch, end: number): number {
  let n = count
  while (n > 0 && (offsets[n - 1] as number) >= end) n--
  return n
}

const indexesOf = ({ indexes }: LocalRows, rows: ChangelogRows, { store, sub }: Changelog): Indexes | undefined =>
  store !== undefined && indexes?.has(rows.idOf(store, sub)) === true ? indexes : undefined

/** Indexes go by the row that the database has: of the rows of a key in one batch only the last one counts. */
function lastOfKeys({ data, keyStart, keyEnd }: FetchedBatch, count: number): Map<string, number> {
  const last = new Map<string, number>()
  for (let i = 0; i < count; i++) last.set(data.latin1Slice(keyStart[i], keyEnd[i]), i)
  return last
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
