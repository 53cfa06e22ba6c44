import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import { RowWriter } from '../../../state/stores/index.ts'
import type { WriteBatch } from '../../../state/backend.ts'
import type { Indexes } from '../../query/index.ts'
import type { Changelog, ChangelogRows } from './changelog.ts'
import type { LocalRows } from './local-state.ts'
import { NewestRows } from './newest-rows.ts'

/** A changelog's partition whose rows are to lie here. */
export interface Wanted {
  readonly log: Changelog
  readonly partition: number
}

/** Where the rows of a changelog's partition stand. */
export interface RowsAt extends Wanted {
  readonly topicId: string
  at: number
}

/** What was read of a changelog's partition from where its rows stand, in the order of its offsets. */
export interface ReadRows {
  readonly state: RowsAt
  readonly batches: readonly FetchedBatch[]
  /** Rows from that offset on are left out; default: none. */
  readonly end?: number
}

const copied = new RowWriter()
const mostCopied = 256
const sorted = new NewestRows()

/**
 * Writes what was read of changelogs to the local rows, with the positions that they equal then, all at once: whenever the
 * process is killed, rows and positions go together.
 */
export function applyRows(local: LocalRows, rows: ChangelogRows, read: readonly ReadRows[]): void {
  const write = local.backend.batch()
  const now = Date.now()
  for (const { state, batches, end = Number.POSITIVE_INFINITY } of read) {
    const last = batches.at(-1)
    if (last === undefined) continue
    putRows(local, rows, state, batches, end, write)
    state.at = Math.min(last.nextOffset, end)
    const position = { offset: state.at, topicId: state.topicId, at: now }
    local.setPosition(write, state.log.topic, state.partition, position)
  }
  write.commit()
}

function putRows(
  local: LocalRows,
  rows: ChangelogRows,
  { log, partition }: Wanted,
  batches: readonly FetchedBatch[],
  end: number,
  write: WriteBatch,
): void {
  const counts = batches.map((batch) => (batch.nextOffset > end ? countBefore(batch, end) : batch.count))
  sorted.sort(batches, counts)
  const rowOf = rows.reader(log, partition)
  const indexes = indexesOf(local, rows, log)
  const { newest, batchOf, recordOf, count } = sorted
  for (let i = 0; i < count; i++) {
    const place = newest[i] as number
    const record = recordOf[place] as number
    const { data, keyStart, keyEnd, valueStart, valueEnd } = batches[batchOf[place] as number] as FetchedBatch
    const row = rowOf(data, keyStart[record] as number, keyEnd[record] as number)
    const [from, to] = [valueStart[record] as number, valueEnd[record] as number]
    // no view a record, unless it is large
    const large = to - from > mostCopied
    const value = from < 0 ? undefined : large ? data.subarray(from, to) : copied.reset().slice(data, from, to).view()
    // they go by the row that the database has, and see each key once
    indexes?.change(write, row, value)
    if (value === undefined) write.delete(row)
    else write.put(row, value)
  }
}

function countBefore({ offsets, count }: FetchedBatch, end: number): number {
  let n = count
  while (n > 0 && (offsets[n - 1] as number) >= end) n--
  return n
}

/** What is kept beside the rows of a changelog; undefined: nothing. */
export const indexesOf = (
  { indexes }: LocalRows,
  rows: ChangelogRows,
  { store, sub }: Changelog,
): Indexes | undefined => (store !== undefined && indexes?.has(rows.idOf(store, sub)) === true ? indexes : undefined)
