import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import type { RemoteLog } from '../../../connectors/broker/remote.ts'
import { applyRows, type RowsAt } from './apply-rows.ts'
import type { ChangelogRows } from './changelog.ts'
import type { LocalState } from './local-state.ts'

/** Of one changelog's partition. */
export interface RestoreProgress {
  readonly store: string
  readonly partition: number
  /** Records that were read of those that had to be. */
  readonly done: number
  readonly total: number
  /** How long the rest will take at the present rate, ms. */
  readonly remaining: number
}

/** What it takes to read changelogs into the local rows. */
export interface Reading {
  readonly log: RemoteLog
  readonly local: LocalState
  readonly rows: ChangelogRows
  readonly tell: (progress: RestoreProgress) => void
  /** What was read until then stays. */
  readonly signal: AbortSignal
  /** Most bytes a second; default: as fast as it goes. */
  readonly bytesPerSecond?: number
  /** Tasks run in this thread meanwhile: it is held only for moments. */
  readonly gently?: boolean
}

/** A changelog's partition on its way from where the local rows are to an end. */
export interface Restoring extends RowsAt {
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

/** What waits to be written is written after this time, though there is little of it; ms. */
const longestWait = 200

/**
 * Reads them all to their ends, ahead of what is written: rows are put in order, and the more of them the faster the database
 * takes them.
 */
export async function read(reading: Reading, all: readonly Restoring[]): Promise<void> {
  const { log, local, rows, tell, signal, bytesPerSecond } = reading
  const atOnce = reading.gently === true ? gentleBytes : local.bulkBytes
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
      rows,
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

const breathe = (ms: number): Promise<void> =>
  new Promise((resolve) => (ms > 1 ? setTimeout(resolve, ms) : setImmediate(resolve)))
