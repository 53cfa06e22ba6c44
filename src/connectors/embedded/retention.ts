import type { Backend } from '../../state/backend.ts'
import { asBuffer, frameAppendTime, frameTotalBytes } from '../broker/frame.ts'
import { frameKeyOffset, framesEnd, framesStart, partitionStateKey } from '../broker/log-keys.ts'
import { encodeState, type PartitionState } from './partition.ts'

/** Frames that one step looks at. */
const framesAStep = 4

/**
 * `idle`: nothing is due; `done`: something was done, and no more is due; `more`: call again.
 */
export type StepResult = 'idle' | 'done' | 'more'

/**
 * Removes frames from the start of a partition: those appended longer ago than its topic allows, and as many as it is too
 * large by. It goes by when records were appended, not by their timestamps: a replay of old events shall not vanish at once.
 */
export function retainStep(backend: Backend, state: PartitionState, now: number): StepResult {
  const { retentionMs = Number.POSITIVE_INFINITY, retentionBytes = Number.POSITIVE_INFINITY } = state.topic.config
  if (retentionMs === Number.POSITIVE_INFINITY && retentionBytes === Number.POSITIVE_INFINITY) return 'idle'
  if (now < state.retainAt && state.totalBytes < state.retainBytes) return 'idle'
  const rows = backend.collect({
    gte: framesStart(state.topic.id, state.partition),
    lt: framesEnd(state.topic.id, state.partition),
    limit: framesAStep,
  })
  if (rows.length === 0) {
    state.retainAt = now + retentionMs
    state.retainBytes = state.totalBytes + retentionBytes
    return 'idle'
  }
  const batch = backend.batch()
  let start = state.start
  for (let i = 0; i < rows.length; i += 2) {
    const key = rows[i] as Uint8Array
    const frame = asBuffer(rows[i + 1] as Uint8Array)
    const bytesWithIt = state.totalBytes - frameTotalBytes(frame) + frame.length
    if (now - frameAppendTime(frame) < retentionMs && bytesWithIt <= retentionBytes) {
      state.retainAt = frameAppendTime(frame) + retentionMs
      state.retainBytes = frameTotalBytes(frame) - frame.length + retentionBytes + 1
      break
    }
    batch.delete(key)
    start = frameKeyOffset(key) + 1
  }
  if (batch.count === 0) return 'idle'
  const more = batch.count * 2 === rows.length
  batch.put(partitionStateKey(state.topic.id, state.partition), encodeState({ ...stored(state), start }))
  batch.commit()
  state.start = start
  return more ? 'more' : 'done'
}

const stored = ({ end, totalBytes, cleanOffset, cleanBytes, cleanTotal }: PartitionState) => ({
  end,
  totalBytes,
  cleanOffset,
  cleanBytes,
  cleanTotal,
})
