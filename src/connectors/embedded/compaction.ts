/**
 * Log compaction: keeps the last record of each key, at its offset. In the manner of Kafka's cleaner, in bounded steps:
 *
 *     offset   0   1   2   3   4   5 | 6            1. read what has been appended since the last pass (dirty) and note
 *     record   a1  b1  a2  c1  b-  a3| d1 (active)     where each key was last seen: {a: 5, b: 4, c: 3}
 *              clean ----| dirty ----|              2. go through everything from the start and rewrite the frames without
 *     after                c1  b-  a3  d1              records whose key was seen later
 *
 * The last frame is left alone, so the end of the log never moves. A deletion (b-) stays until `deleteRetentionMs` after it was
 * appended, so that a reader that is not further behind than that sees it. Each step is one atomic batch: a crash between
 * two leaves a log that is partly compacted, and the pass starts again.
 */
import type { Backend } from '../../state/backend.ts'
import {
  asBuffer,
  frameAppendTime,
  frameLastOffset,
  frameProblem,
  frameTotalBytes,
  readFrames,
  sealFrame,
} from '../broker/frame.ts'
import { FrameBuilder } from '../broker/frame-builder.ts'
import { frameKey, framesEnd, partitionStateKey } from '../broker/log-keys.ts'
import { corruptFrame } from '../broker/log-reader.ts'
import { framePlainBytes } from '../broker/packed-frame.ts'
import { type Compaction, encodeState, type PartitionState } from './partition.ts'
import type { StepResult } from './retention.ts'

const day = 24 * 60 * 60 * 1000
const framesAStep = 8
/** One pass knows at most so many keys; the rest waits for the next one. */
const mostKeys = 500_000
/** Frames smaller than this are merged with what is being written. */
const mergeBelow = 256 * 1024

export function compactStep(backend: Backend, state: PartitionState, now: number): StepResult {
  if (state.topic.config.compact !== true) return 'idle'
  state.compaction ??= begin(state)
  const pass = state.compaction
  if (pass === undefined) return 'idle'
  if (pass.phase === 'map') return mapStep(backend, state, pass)
  return rewriteStep(backend, state, pass, now)
}

/** A pass is due when half of the partition is dirty. */
function begin(state: PartitionState): Compaction | undefined {
  const dirty = state.totalBytes - state.cleanTotal
  if (dirty === 0 || dirty < state.cleanBytes || state.end <= state.compactedEnd) return undefined
  state.compactedEnd = state.end
  return {
    phase: 'map',
    at: Math.max(state.cleanOffset, state.start),
    until: Math.max(state.cleanOffset, state.start),
    untilTotal: state.cleanTotal,
    cleanBytes: 0,
    last: new Map(),
  }
}

function mapStep(backend: Backend, state: PartitionState, pass: Compaction): StepResult {
  const frames = read(backend, state, pass.at, state.end)
  for (const frame of frames) {
    // The last frame is not covered, and a pass holds a bounded number of keys.
    if (frameLastOffset(frame) + 1 >= state.end || pass.last.size >= mostKeys) break
    const batch = readFrames(state.topic.name, state.partition, [frame], 0)
    for (let i = 0; batch !== undefined && i < batch.count; i++) {
      const start = batch.keyStart[i] as number
      if (start >= 0) pass.last.set(batch.data.latin1Slice(start, batch.keyEnd[i]), batch.offsets[i] as number)
    }
    pass.until = pass.at = frameLastOffset(frame) + 1
    pass.untilTotal = frameTotalBytes(frame)
  }
  const covered =
    pass.last.size >= mostKeys || frames.length === 0 || frameLastOffset(frames.at(-1) as Buffer) >= pass.at
  if (!covered) return 'more'
  if (pass.until <= state.cleanOffset) {
    state.compaction = undefined
    return 'done'
  }
  pass.phase = 'rewrite'
  pass.at = state.start
  return 'more'
}

function rewriteStep(backend: Backend, state: PartitionState, pass: Compaction, now: number): StepResult {
  const { id, config } = state.topic
  const frames = read(backend, state, pass.at, pass.until)
  const batch = backend.batch()
  const writer = new FrameBuilder({ maxRecordBytes: 2 ** 30 })
  let pending: Buffer[] = []
  let offsets: number[] = []
  let changed = false
  let cleanBytes = pass.cleanBytes

  const flush = (): void => {
    const last = pending.at(-1)
    if (last === undefined) return
    const lastOffset = frameLastOffset(last)
    if (!changed && pending.length === 1) cleanBytes += last.length
    else {
      for (const frame of pending)
        if (frame !== last) batch.delete(frameKey(id, state.partition, frameLastOffset(frame)))
      if (offsets.length === 0) batch.delete(frameKey(id, state.partition, lastOffset))
      else {
        const appended = Math.max(...pending.map(frameAppendTime))
        const frame = writer.finish(Int32Array.from(offsets, (offset) => lastOffset - offset))
        sealFrame(frame, lastOffset, appended, frameTotalBytes(last))
        batch.put(frameKey(id, state.partition, lastOffset), frame)
        cleanBytes += frame.length
      }
    }
    writer.clear()
    pending = []
    offsets = []
    changed = false
  }

  for (const frame of frames) {
    const tombstonesEnd = frameAppendTime(frame) + (config.deleteRetentionMs ?? day)
    const records = readFrames(state.topic.name, state.partition, [frame], 0)
    const large = framePlainBytes(frame) >= mergeBelow
    if (large) flush()
    pending.push(frame)
    for (let i = 0; records !== undefined && i < records.count; i++) {
      const offset = records.offsets[i] as number
      const keyStart = records.keyStart[i] as number
      const value = slice(records.data, records.valueStart[i] as number, records.valueEnd[i] as number)
      if (keyStart >= 0) {
        const later = pass.last.get(records.data.latin1Slice(keyStart, records.keyEnd[i]))
        if ((later !== undefined && later > offset) || (value === null && now >= tombstonesEnd)) {
          changed = true
          continue
        }
      }
      const key = slice(records.data, keyStart, records.keyEnd[i] as number)
      writer.add(key, value, records.timestamps[i] as number, records.headers?.[i])
      offsets.push(offset)
    }
    if (large || writer.full) flush()
  }
  flush()
  const at = frames.length === 0 ? pass.until : frameLastOffset(frames.at(-1) as Buffer) + 1
  const finished = at >= pass.until
  if (finished) {
    const after = {
      start: state.start,
      end: state.end,
      totalBytes: state.totalBytes,
      cleanOffset: pass.until,
      cleanBytes,
      cleanTotal: pass.untilTotal,
    }
    batch.put(partitionStateKey(id, state.partition), encodeState(after))
    batch.commit()
    state.cleanOffset = pass.until
    state.cleanBytes = cleanBytes
    state.cleanTotal = pass.untilTotal
    state.compaction = undefined
    return 'done'
  }
  batch.commit()
  pass.cleanBytes = cleanBytes
  pass.at = at
  return 'more'
}

function read(backend: Backend, state: PartitionState, from: number, until: number): Buffer[] {
  const { id, name } = state.topic
  if (from >= until) return []
  const frames: Buffer[] = []
  const lt = until >= state.end ? framesEnd(id, state.partition) : frameKey(id, state.partition, until)
  const rows = backend.collect({ gte: frameKey(id, state.partition, from), lt, limit: framesAStep })
  for (let i = 1; i < rows.length; i += 2) {
    const frame = asBuffer(rows[i] as Uint8Array)
    const problem = frameProblem(frame)
    if (problem !== undefined) throw corruptFrame(name, state.partition, from, rows[i - 1] as Uint8Array, problem)
    frames.push(frame)
  }
  return frames
}

const slice = (data: Buffer, start: number, end: number): Buffer | null =>
  start < 0 ? null : data.subarray(start, end)
