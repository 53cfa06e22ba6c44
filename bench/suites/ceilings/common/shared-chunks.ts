/**
 * The workload's chunks in shared memory, as a log that workers read: what the broker's database would give them, without
 * its cost. A few chunks lie there at a time; each record belongs to one partition.
 */
import type { FetchedBatch, ReadableLog, TopicInfo } from '../../../../src/connectors/broker/log.ts'
import type { Chunk } from '../../../workload/chunks.ts'

const slots = 4
const slotBytes = 24 << 20
const slotRecords = 100_000

export interface SharedChunks {
  readonly topic: string
  readonly partitions: number
  readonly bytes: readonly SharedArrayBuffer[]
  /** [slot][partition]: where its records begin and end in the bytes, in pairs. */
  readonly places: readonly (readonly SharedArrayBuffer[])[]
  /** For each slot and partition: offset of its first record, and how many there are. */
  readonly heads: SharedArrayBuffer
}

export function sharedChunks(topic: string, partitions: number): SharedChunks {
  const each = <T>(n: number, make: () => T): T[] => Array.from({ length: n }, make)
  return {
    topic,
    partitions,
    bytes: each(slots, () => new SharedArrayBuffer(slotBytes)),
    places: each(slots, () => each(partitions, () => new SharedArrayBuffer(8 * slotRecords))),
    heads: new SharedArrayBuffer(16 * slots * partitions),
  }
}

/** Puts chunks in. */
export class ChunkWriter {
  private readonly shared: SharedChunks
  private readonly heads: Float64Array
  /** Offset of the next record of each partition. */
  readonly ends: number[]
  private next = 0

  constructor(shared: SharedChunks) {
    this.shared = shared
    this.heads = new Float64Array(shared.heads)
    this.ends = new Array<number>(shared.partitions).fill(0)
  }

  /** Records of each partition that must have been read before there is room for another chunk. */
  get needed(): readonly number[] {
    const { partitions } = this.shared
    return Array.from({ length: partitions }, (_, p) => {
      const at = 2 * ((this.next % slots) * partitions + p)
      return (this.heads[at] as number) + (this.heads[at + 1] as number)
    })
  }

  put({ bytes, offsets, count }: Chunk, partitionOf: (bytes: Buffer, start: number) => number): void {
    const { shared, heads, ends } = this
    const slot = this.next++ % slots
    new Uint8Array(shared.bytes[slot] as SharedArrayBuffer).set(bytes.subarray(0, offsets[count]))
    const places = (shared.places[slot] as SharedArrayBuffer[]).map((memory) => new Int32Array(memory))
    const counts = ends.map(() => 0)
    for (let i = 0; i < count; i++) {
      const start = offsets[i] as number
      const partition = shared.partitions === 1 ? 0 : partitionOf(bytes, start)
      const place = places[partition] as Int32Array
      const n = counts[partition] as number
      place[2 * n] = start
      place[2 * n + 1] = offsets[i + 1] as number
      counts[partition] = n + 1
    }
    for (const [partition, n] of counts.entries()) {
      const at = 2 * (slot * shared.partitions + partition)
      heads[at] = ends[partition] as number
      heads[at + 1] = n
      ends[partition] = (ends[partition] as number) + n
    }
  }
}

/** Records of one fetch. */
const fetchSize = 1000

/** Reads them, on any thread. */
export class ChunkLog implements ReadableLog {
  private readonly shared: SharedChunks
  private readonly heads: Float64Array
  private readonly bytes: readonly Buffer[]
  private readonly places: readonly (readonly Int32Array[])[]

  constructor(shared: SharedChunks) {
    this.shared = shared
    this.heads = new Float64Array(shared.heads)
    this.bytes = shared.bytes.map((memory) => Buffer.from(memory) as unknown as Buffer)
    this.places = shared.places.map((of) => of.map((memory) => new Int32Array(memory)))
  }

  topics(): TopicInfo[] {
    return [{ name: this.shared.topic, partitions: this.shared.partitions }]
  }

  topic(name: string): TopicInfo | undefined {
    return this.topics().find((topic) => topic.name === name)
  }

  startOffset(): number {
    return 0
  }

  endOffset(): number {
    return 0
  }

  groupOffset(): number | undefined {
    return undefined
  }

  fetch(topic: string, partition: number, offset: number): FetchedBatch | undefined {
    for (let slot = 0; slot < slots; slot++) {
      const at = 2 * (slot * this.shared.partitions + partition)
      const first = offset - (this.heads[at] as number)
      const rest = (this.heads[at + 1] as number) - first
      if (first < 0 || rest <= 0) continue
      const count = Math.min(fetchSize, rest)
      const place = this.places[slot]?.[partition] as Int32Array
      const valueStart = new Int32Array(count)
      const valueEnd = new Int32Array(count)
      const offsets = new Float64Array(count)
      for (let i = 0; i < count; i++) {
        valueStart[i] = place[2 * (first + i)] as number
        valueEnd[i] = place[2 * (first + i) + 1] as number
        offsets[i] = offset + i
      }
      const none = new Int32Array(count).fill(-1)
      return {
        topic,
        partition,
        count,
        data: this.bytes[slot] as Buffer,
        keyStart: none,
        keyEnd: none,
        valueStart,
        valueEnd,
        timestamps: new Float64Array(count),
        offsets,
        nextOffset: offset + count,
      }
    }
    return undefined
  }
}
