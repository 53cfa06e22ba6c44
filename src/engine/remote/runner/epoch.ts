import { frameCount } from '../../../connectors/broker/frame.ts'
import type { Membership, PositionedPartition, RemoteLog, RemoteWriter } from '../../../connectors/broker/remote.ts'
import type { WriteBatch } from '../../../state/backend.ts'
import type { SpareMemory } from '../../../connectors/broker/spare-memory.ts'
import type { OutputFrame } from '../../runtime/outputs.ts'
import type { LocalRows } from '../state/local-state.ts'

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
