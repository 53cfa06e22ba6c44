import { frameCount } from '../../../connectors/broker/frame.ts'
import type { Membership, PositionedPartition, RemoteLog, RemoteWriter } from '../../../connectors/broker/remote.ts'
import type { WriteBatch } from '../../../state/backend.ts'
import { encodeValue } from '../../../state/codec/index.ts'
import { type Sealer, statePrefix } from '../../../state/stores/index.ts'
import type { SpareMemory } from '../../../connectors/broker/spare-memory.ts'
import { TopicFeed } from '../../runtime/inputs/feed.ts'
import type { TaskGroup } from '../../runtime/tasks/group.ts'
import type { OutputFrame, Outputs } from '../../runtime/outputs.ts'
import type { ChangelogFrames, ChangelogRows } from '../state/changelog.ts'
import { positionName } from '../inputs.ts'
import type { LocalRows } from '../state/local-state.ts'
import type { TopicLinks } from './topic-links.ts'

/** Where the positions in repartition topics lie: by topic, in a store of each sub-topology. */
export const inletStore = '$inlets'

/** What an epoch is made of, encoded; nothing of it has left yet. */
export interface SealedEpoch {
  readonly epoch: number
  readonly outputs: readonly OutputFrame[]
  readonly changes: readonly OutputFrame[]
  /** Of inputs that moved. */
  readonly positions: readonly PositionedPartition[]
  /** The rows as they will be locally. */
  readonly batch: WriteBatch
}

export interface Sealing {
  readonly group: TaskGroup
  readonly outputs: Outputs
  readonly links: TopicLinks | undefined
  readonly rows: ChangelogRows
  readonly frames: ChangelogFrames
  readonly local: LocalRows
  /** Sub-topology that reads a repartition's topic. */
  readonly readerOf: (topic: string) => number
  /** As they were committed last. */
  readonly committed: ReadonlyMap<string, number>
  readonly now: number
  /** More rows of this epoch. */
  readonly more: (sealer: Sealer) => void
  /** Is shown what the rows become, but for those that are cleared with others; undefined: nobody looks. */
  readonly look: ((key: Uint8Array, after: Uint8Array | undefined) => void) | undefined
}

/** Ends the running epoch of a group: the next one begins at once. */
export function sealEpoch(sealing: Sealing): SealedEpoch {
  const { group, outputs, links, rows, frames, local, readerOf, committed, now, more, look } = sealing
  const batch = local.backend.batch()
  frames.begin(now)
  const clears: (readonly [Uint8Array, Uint8Array])[] = []
  const remove = (key: Uint8Array): void => {
    local.indexes?.change(batch, key, undefined)
    batch.delete(key)
    frames.put(key, null)
  }
  const sealer: Sealer = {
    put(key, value) {
      look?.(key, value)
      local.indexes?.change(batch, key, value)
      batch.put(key, value)
      frames.put(key, value)
    },
    delete(key) {
      look?.(key, undefined)
      remove(key)
    },
    clearLater: (gte, lt) => void clears.push([gte, lt]),
  }
  const epoch = group.seal(sealer)
  more(sealer)
  // Row by row, so that changelogs forget them with the epoch that made them dead. No row of this epoch lies there.
  for (const [gte, lt] of clears) for (const [key] of local.backend.range({ gte, lt })) remove(key)
  if (links !== undefined) {
    group.sealLate(sealer, new Map())
    for (const { topic, partition, offset } of links.positions) {
      const prefix = statePrefix(rows.idOf(inletStore, readerOf(topic)), partition)
      sealer.put(Buffer.concat([prefix, Buffer.from(topic)]), encodeValue(offset))
    }
  }
  const positions = [...positionsOf(group), ...(links?.positions ?? [])].filter(
    (one) => committed.get(positionName(one)) !== one.offset,
  )
  return { epoch, outputs: outputs.take(), changes: frames.take(outputs.spare), positions, batch }
}

/** Where the tasks go on in each partition that they read; the lowest, where several steps read it. */
function positionsOf(group: TaskGroup): PositionedPartition[] {
  const lowest = new Map<string, PositionedPartition>()
  for (const task of group.tasks) {
    for (const feed of task.parts.feeds) {
      // Each task reads all of a global table; where it is, is its own affair.
      if (!(feed instanceof TopicFeed) || feed.global) continue
      const { topic, partition, position: offset } = feed
      const known = lowest.get(positionName(feed))
      if (known === undefined || offset < known.offset) lowest.set(positionName(feed), { topic, partition, offset })
    }
  }
  return [...lowest.values()]
}

interface EpochOptions {
  readonly exactlyOnce: boolean
  readonly write: (batch: WriteBatch) => void
  /** Where frames' memory goes. */
  readonly spare: SpareMemory
}

/**
 * Sends an epoch, commits it with the positions of its inputs, and writes the local rows with the changelog positions that
 * they equal. Exactly once: in one transaction. At least once: outputs and changelog, then the local rows, then the positions.
 *
 * @returns how long the brokers took, and the local write, ms
 */
export async function writeEpochTo(
  sealed: SealedEpoch,
  writer: RemoteWriter,
  log: RemoteLog,
  local: LocalRows,
  membership: Membership,
  topicIds: (topic: string) => string,
  { exactlyOnce, write, spare }: EpochOptions,
): Promise<{ readonly commit: number; readonly write: number }> {
  const began = performance.now()
  const { outputs, changes, positions, batch } = sealed
  const sends = outputs.map(({ topic, partition, frame }) => send(writer, topic, partition, frame, spare))
  const changeSends = changes.map(async ({ topic, partition, frame }) => {
    const end = await send(writer, topic, partition, frame, spare)
    return { topic, partition, end }
  })
  const all = Promise.all([...sends, ...changeSends])
  all.catch(() => {})
  await writer.commit(exactlyOnce ? positions : [], exactlyOnce ? membership : undefined)
  await all
  for (const change of changeSends) {
    const { topic, partition, end } = await change
    local.setPosition(batch, topic, partition, { offset: end, topicId: topicIds(topic), at: Date.now() })
  }
  const acknowledged = performance.now()
  write(batch)
  const written = performance.now()
  if (!exactlyOnce && positions.length > 0) await log.commitOffsets(positions, membership)
  return { commit: acknowledged - began + (performance.now() - written), write: written - acknowledged }
}

/** Sends frames before their epoch ends. A failure shows when it is committed. */
export function sendEarly(writer: RemoteWriter, frames: readonly OutputFrame[], spare: SpareMemory): void {
  for (const { topic, partition, frame } of frames) send(writer, topic, partition, frame, spare).catch(() => {})
}

/** @returns the offset after the frame's last row */
async function send(
  writer: RemoteWriter,
  topic: string,
  partition: number,
  frame: Buffer<ArrayBuffer>,
  spare: SpareMemory,
): Promise<number> {
  const count = frameCount(frame)
  const { first, memory } = await writer.sendFrame(topic, partition, frame)
  spare.give(memory)
  return first + count
}
