import type { RemoteLog, RemoteTopic } from '../../connectors/broker/remote.ts'
import type { FetchedBatch } from '../../connectors/broker/log.ts'
import { after, statePrefix } from '../../state/stores/index.ts'
import type { Logger } from '../app/logger.ts'
import type { Changelog, ChangelogRows } from './changelog.ts'
import type { LocalState } from './local-state.ts'

/** Half of the time for which a deletion stays in a compacted topic (a day, unless the topic says otherwise). */
const freshFor = 12 * 3_600_000

export interface RestoreProgress {
  readonly store: string
  readonly partition: number
  readonly done: number
  readonly total: number
}

interface Restoring {
  readonly log: Changelog
  readonly partition: number
  readonly topicId: string
  readonly from: number
  readonly end: number
  at: number
  done: number
  told: number
}

/**
 * Brings the local rows of these partitions to where their changelogs are. To be called when nobody can write to them any
 * more: transactions that are still open are waited for. What the local rows cannot be brought on from is read from the start:
 * a position that is gone from the topic, one of another topic of that name, one so old that deletions may be gone.
 */
export async function restore(
  log: RemoteLog,
  local: LocalState,
  rows: ChangelogRows,
  wanted: readonly { readonly log: Changelog; readonly partition: number }[],
  topics: ReadonlyMap<string, RemoteTopic>,
  logger: Logger,
  tell: (progress: RestoreProgress) => void,
): Promise<void> {
  const where = wanted.map((one) => ({ topic: one.log.topic, partition: one.partition }))
  const [starts, ends] = await Promise.all([log.offsets(where, 'earliest'), log.offsets(where, 'latest', true)])
  const restoring = new Map<string, Restoring>()
  for (const [i, { log: changelog, partition }] of wanted.entries()) {
    const { topic } = changelog
    const topicId = topics.get(topic)?.id ?? ''
    const [start, end] = [starts[i] as number, ends[i] as number]
    const known = local.position(topic, partition)
    const usable =
      known !== undefined &&
      known.topicId === topicId &&
      known.offset >= start &&
      known.offset <= end &&
      (known.offset === end || Date.now() - known.at < freshFor)
    if (!usable) {
      if (known !== undefined) logger.warn({ topic, partition, known, start, end }, 'the local state is read anew')
      clear(local, rows, changelog, partition)
    }
    const from = usable ? known.offset : start
    if (from < end) {
      const state = { log: changelog, partition, topicId, from, end, at: from, done: 0, told: 0 }
      restoring.set(`${partition}/${topic}`, state)
    }
  }
  if (restoring.size > 0) await read(log, local, rows, restoring, tell)
}

async function read(
  log: RemoteLog,
  local: LocalState,
  rows: ChangelogRows,
  restoring: Map<string, Restoring>,
  tell: (progress: RestoreProgress) => void,
): Promise<void> {
  let wake = (): void => {}
  const reader = log.reader({ onData: () => wake() })
  try {
    for (const {
      log: { topic },
      partition,
      from,
    } of restoring.values())
      reader.add(topic, partition, from)
    while (restoring.size > 0) {
      const news = new Promise<void>((resolve) => {
        wake = resolve
      })
      let moved = false
      for (const [key, state] of restoring) {
        const { topic, store } = state.log
        const batch = reader.take(topic, state.partition, state.at)
        if (batch === undefined) continue
        moved = true
        apply(local, rows, state, batch)
        if (state.at >= state.end) {
          restoring.delete(key)
          reader.remove(topic, state.partition)
        }
        // Markers of transactions are no rows.
        if (state.done - state.told >= 100_000 || (state.at >= state.end && state.done > 0)) {
          state.told = state.done
          tell({
            store: store ?? topic,
            partition: state.partition,
            done: state.at - state.from,
            total: state.end - state.from,
          })
        }
      }
      if (moved) await new Promise((resolve) => setImmediate(resolve))
      else await news
    }
  } finally {
    await reader.close()
  }
}

function apply(local: LocalState, rows: ChangelogRows, state: Restoring, batch: FetchedBatch): void {
  const { data, keyStart, keyEnd, valueStart, valueEnd, count, nextOffset } = batch
  const write = local.backend.batch()
  for (let i = 0; i < count; i++) {
    const key = data.subarray(keyStart[i] as number, keyEnd[i] as number)
    const row = rows.rowOf(state.log, state.partition, key)
    if ((valueStart[i] as number) < 0) write.delete(row)
    else write.put(row, data.subarray(valueStart[i] as number, valueEnd[i] as number))
  }
  state.at = nextOffset
  state.done += count
  const position = { offset: nextOffset, topicId: state.topicId, at: Date.now() }
  local.setPosition(write, state.log.topic, state.partition, position)
  write.commit()
}

function clear(local: LocalState, rows: ChangelogRows, { store, sub, topic }: Changelog, partition: number): void {
  const names = store === undefined ? rows.sharedStores(sub) : [store]
  for (const name of names) {
    const prefix = statePrefix(rows.idOf(name, sub), partition)
    local.backend.clearRange(prefix, after(prefix))
  }
  local.forgetPosition(topic, partition)
}
