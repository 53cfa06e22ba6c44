import { frameKeyOffset, framesEnd, framesStart, partitionStateKey, type TopicRow } from '../broker/log-keys.ts'
import { asBuffer, frameTotalBytes } from '../broker/frame.ts'
import type { BackendReader } from '../../state/backend.ts'

/** How far a pass of compaction is. */
export interface Compaction {
  phase: 'map' | 'rewrite'
  /** Where the phase goes on. */
  at: number
  /** The pass covers what lies below. */
  until: number
  untilTotal: number
  cleanBytes: number
  readonly last: Map<string, number>
}

/** What the owner keeps in memory of a partition. */
export class PartitionState {
  topic: TopicRow
  readonly partition: number
  start: number
  end: number
  /** Bytes ever appended. */
  totalBytes: number
  /** Below this offset each key is there once. */
  cleanOffset: number
  /** Bytes below `cleanOffset`. */
  cleanBytes: number
  /** Bytes ever appended up to `cleanOffset`. */
  cleanTotal: number
  /** Nothing of this partition is due for removal before this time. */
  retainAt = 0
  /** ... nor before it has had this many bytes. */
  retainBytes = 0
  compaction: Compaction | undefined
  /** Where the log ended when the last pass of compaction began. */
  compactedEnd = 0

  constructor(reader: BackendReader, topic: TopicRow, partition: number) {
    this.topic = topic
    this.partition = partition
    const stored = reader.get(partitionStateKey(topic.id, partition))
    const numbers = stored === undefined ? undefined : asBuffer(stored)
    const number = (i: number): number => numbers?.readDoubleLE(i * 8) ?? 0
    this.start = number(0)
    this.end = number(1)
    this.totalBytes = number(2)
    this.cleanOffset = number(3)
    this.cleanBytes = number(4)
    this.cleanTotal = number(5)
    const [key, frame] = reader.collect({
      gte: framesStart(topic.id, partition),
      lt: framesEnd(topic.id, partition),
      reverse: true,
      limit: 1,
    })
    if (key === undefined || frame === undefined) return
    this.end = frameKeyOffset(key) + 1
    this.totalBytes = frameTotalBytes(asBuffer(frame))
  }

  /** Takes a changed configuration. */
  configure(topic: TopicRow): void {
    this.topic = topic
    this.retainAt = 0
    this.retainBytes = 0
    this.compactedEnd = 0
    this.compaction = undefined
  }
}

/** The numbers of a partition that its frames do not tell. */
export type StoredState = Pick<
  PartitionState,
  'start' | 'end' | 'totalBytes' | 'cleanOffset' | 'cleanBytes' | 'cleanTotal'
>

export function encodeState(state: StoredState): Buffer {
  const bytes = Buffer.allocUnsafe(48)
  const numbers = [state.start, state.end, state.totalBytes, state.cleanOffset, state.cleanBytes, state.cleanTotal]
  numbers.forEach((number, i) => bytes.writeDoubleLE(number, i * 8))
  return bytes
}
