import type { PositionedPartition } from '../../../connectors/broker/remote.ts'
import type { Sealer } from '../../../state/stores/index.ts'
import { TopicFeed } from '../../runtime/inputs/feed.ts'
import type { TaskGroup } from '../../runtime/tasks/group.ts'
import { positionName } from '../inputs.ts'
import { putInlet } from '../state/inlets.ts'
import type { LocalRows } from '../state/local-state.ts'
import type { SealedEpoch } from './epoch.ts'
import type { RunnerTasks } from './runner-tasks.ts'

export interface Sealing {
  readonly local: LocalRows
  readonly now: number
  /** More rows of this epoch. */
  readonly more: (sealer: Sealer) => void
  /** Is shown what the rows become, but for those that are cleared with others; undefined: nobody looks. */
  readonly look: ((key: Uint8Array, after: Uint8Array | undefined) => void) | undefined
}

/** Ends the running epoch of tasks: the next one begins at once. */
export function sealEpoch(tasks: RunnerTasks, { local, now, more, look }: Sealing): SealedEpoch {
  const { outputs, links, rows, frames, inputs, committed } = tasks
  const group = tasks.group as TaskGroup
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
    for (const { topic, partition, offset } of links.positions)
      putInlet(sealer, rows, { sub: inputs.readerOf(topic), topic, partition }, offset)
  }
  const positions = [...positionsOf(group), ...(links?.positions ?? [])].filter(
    (one) => committed.get(positionName(one)) !== one.offset,
  )
  return { epoch, outputs: outputs.take(), changes: frames.take(outputs.spare), positions, batch }
}

/** Where the tasks go on in each partition that they read; the lowest, where several steps read it. */
function positionsOf(group: TaskGroup): PositionedPartition[] {
  const lowest = new Map<string, PositionedPartition>()
  for (const feed of group.feeds(TopicFeed)) {
    // Each task reads all of a global table; where it is, is its own affair.
    if (feed.global) continue
    const { topic, partition, position: offset } = feed
    const known = lowest.get(positionName(feed))
    if (known === undefined || offset < known.offset) lowest.set(positionName(feed), { topic, partition, offset })
  }
  return [...lowest.values()]
}
