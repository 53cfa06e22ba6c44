import type { RemoteTopic } from '../../../connectors/broker/remote.ts'
import { after, statePrefix } from '../../../state/stores/index.ts'
import type { Logger } from '../../app/settings/logger.ts'
import { indexesOf, type Wanted } from './apply-rows.ts'
import type { Changelog, ChangelogRows } from './changelog.ts'
import type { LocalRows } from './local-state.ts'

/** Half of the time for which a deletion stays in a compacted topic, where the topic does not say: a day. */
const freshFor = 12 * 3_600_000

/** What says where rows lie, and of which topics. */
export interface Places {
  readonly local: LocalRows
  readonly rows: ChangelogRows
  /** All that exist, by name. */
  readonly topics: ReadonlyMap<string, RemoteTopic>
  /** Names of stores that have rows here. */
  readonly stores: Iterable<string>
  readonly logger: Logger
}

/** Where the local rows of a partition can be brought on from; they are cleared where that is the start. */
export function beginAt(
  { local, rows, topics, logger, stores }: Places,
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

/** Local rows go, with the position that they equal. */
export function clear(
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
export function prefixesOf(rows: ChangelogRows, { store, sub }: Changelog, partition: number, known: Iterable<string>) {
  const names = store === undefined ? rows.sharedStores(sub, known) : [store]
  return names.map((name) => statePrefix(rows.idOf(name, sub), partition))
}
