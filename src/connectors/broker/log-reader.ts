import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import { asBuffer, frameLastOffset, frameProblem, readFrames } from './frame.ts'
import type { FetchedBatch, ReadableLog, TopicInfo } from './log.ts'
import {
  frameKey,
  frameKeyOffset,
  framesEnd,
  framesStart,
  groupKey,
  partitionStateKey,
  readTopicRow,
  type TopicRow,
  topicKey,
  topicsRange,
} from './log-keys.ts'
import { framePlainBytes } from './packed-frame.ts'

const defaultFetch = 1024 * 1024
/** Frames below this are joined with their neighbours; for larger ones the copy costs more than the saved call. */
const joinBelow = 64 * 1024
const mostJoined = 64

/** Reads the embedded log from any thread that can read its database. */
export class LogReader implements ReadableLog {
  readonly #reader: BackendReader
  protected readonly rows = new Map<string, TopicRow>()
  // How many rows to ask for at once, a topic and partition: many where frames have been small.
  readonly #widths = new Map<TopicRow, Uint8Array>()

  constructor(reader: BackendReader) {
    this.#reader = reader
  }

  topics(): TopicInfo[] {
    const infos: TopicInfo[] = []
    for (const [key, value] of this.#reader.range(topicsRange)) {
      const { name, partitions } = readTopicRow(asBuffer(key).toString('utf8', 2), value)
      infos.push({ name, partitions })
    }
    return infos
  }

  topic(name: string): TopicInfo | undefined {
    const row = this.find(name)
    return row && { name, partitions: row.partitions }
  }

  startOffset(topic: string, partition: number): number {
    const { id } = this.row(topic, partition)
    const state = this.#reader.get(partitionStateKey(id, partition))
    return state === undefined ? 0 : asBuffer(state).readDoubleLE(0)
  }

  endOffset(topic: string, partition: number): number {
    const { id } = this.row(topic, partition)
    const last = this.#reader.collect({
      gte: framesStart(id, partition),
      lt: framesEnd(id, partition),
      reverse: true,
      limit: 1,
    })[0]
    if (last !== undefined) return frameKeyOffset(last) + 1
    const state = this.#reader.get(partitionStateKey(id, partition))
    return state === undefined ? 0 : asBuffer(state).readDoubleLE(8)
  }

  fetch(topic: string, partition: number, offset: number, maxBytes = defaultFetch): FetchedBatch | undefined {
    const row = this.row(topic, partition)
    let widths = this.#widths.get(row)
    if (widths === undefined) this.#widths.set(row, (widths = new Uint8Array(row.partitions).fill(1)))
    const found = this.#reader.collect({
      gte: frameKey(row.id, partition, offset),
      lt: framesEnd(row.id, partition),
      limit: widths[partition] as number,
    })
    const frames: Buffer[] = []
    let bytes = 0
    for (let i = 0; i < found.length; i += 2) {
      const frame = asBuffer(found[i + 1] as Uint8Array)
      if (i > 0 && (bytes + frame.length > maxBytes || frame.length >= joinBelow)) break
      const problem = frameProblem(frame) ?? misplaced(found[i] as Uint8Array, frame)
      // What lies before the damage is handed out first.
      if (problem !== undefined && i > 0) break
      if (problem !== undefined) throw corruptFrame(topic, partition, offset, found[i] as Uint8Array, problem)
      const plain = framePlainBytes(frame)
      if (i > 0 && plain >= joinBelow) break
      frames.push(frame)
      bytes += plain
      if (bytes >= joinBelow) break
    }
    if (frames.length === 0) return undefined
    widths[partition] = Math.max(1, Math.min(mostJoined, Math.ceil((2 * joinBelow * frames.length) / bytes)))
    if (bytes >= joinBelow && frames.length === 1) widths[partition] = 1
    const next = frameLastOffset(frames[frames.length - 1] as Buffer) + 1
    // Compaction may have taken the last records of a frame.
    return readFrames(topic, partition, frames, offset) ?? this.fetch(topic, partition, next, maxBytes)
  }

  groupOffset(group: string, topic: string, partition: number): number | undefined {
    const { id } = this.row(topic, partition)
    const value = this.#reader.get(groupKey(group, id, partition))
    return value && asBuffer(value).readDoubleLE(0)
  }

  protected find(name: string): TopicRow | undefined {
    const known = this.rows.get(name)
    if (known !== undefined) return known
    const value = this.#reader.get(topicKey(name))
    if (value === undefined) return undefined
    const row = readTopicRow(name, value)
    this.rows.set(name, row)
    return row
  }

  /** @throws DhaaraError DHAARA_TOPIC_UNKNOWN */
  protected row(name: string, partition: number): TopicRow {
    const row = this.rows.get(name) ?? this.find(name)
    if (row !== undefined && partition >= 0 && partition < row.partitions) return row
    throw new DhaaraError(
      'DHAARA_TOPIC_UNKNOWN',
      row === undefined
        ? `There is no topic '${name}'. Create it, or correct the name; there are: ${this.#names()}`
        : `Topic '${name}' has no partition ${partition}; it has ${row.partitions}, counted from 0`,
    )
  }

  #names(): string {
    const names = this.topics().map((t) => t.name)
    if (names.length === 0) return 'none'
    return names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ')
  }
}

function misplaced(key: Uint8Array, frame: Buffer): string | undefined {
  const [stored, own] = [frameKeyOffset(key), frameLastOffset(frame)]
  return stored === own ? undefined : `a frame that ends at offset ${own} is stored as ending at ${stored}`
}

/** `key`: of the damaged frame's row. */
export function corruptFrame(
  topic: string,
  partition: number,
  offset: number,
  key: Uint8Array,
  problem: string,
): DhaaraError {
  return new DhaaraError(
    'DHAARA_STATE_CORRUPT',
    `Topic '${topic}', partition ${partition}, offset ${offset}: ${problem}. ` +
      `Restore the directory from a savepoint, or go on after the damage at offset ${frameKeyOffset(key) + 1}`,
  )
}
