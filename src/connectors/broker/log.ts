/**
 * The partitioned log as the engine sees it. Implementations: `embedded` (RocksDB in this process), Kafka.
 * Synchronous on purpose: the embedded log answers at once; a remote one answers from what it has fetched ahead.
 */
import type { WriteBatch } from '../../state/backend.ts'

export interface TopicInfo {
  readonly name: string
  readonly partitions: number
}

/** What a topic keeps. Without any of it, everything is kept for ever. */
export interface TopicConfig {
  /** Frames that were appended longer ago than this are removed; milliseconds. */
  readonly retentionMs?: number
  /** The oldest frames of a partition that is larger than this are removed; bytes. */
  readonly retentionBytes?: number
  /** Keep the last value of each key. Records without a key are all kept. */
  readonly compact?: boolean
  /** How long compaction keeps a deletion (null value) after it was appended; milliseconds, default one day. */
  readonly deleteRetentionMs?: number
}

export type RecordHeaders = readonly (readonly [string, Uint8Array])[]

/**
 * A run of records of one partition in offset order, decoded to offsets into one buffer (struct of arrays).
 * Record i: key = data[keyStart[i], keyEnd[i]), null if keyStart[i] < 0; value likewise; offset = offsets[i].
 * Offsets ascend; where a topic is compacted they have gaps. Nothing in it is reused, so it may
 * be kept, unless whoever took it of a remote reader says that it is done with.
 */
export interface FetchedBatch {
  readonly topic: string
  readonly partition: number
  readonly count: number
  readonly data: Buffer
  readonly keyStart: Int32Array
  readonly keyEnd: Int32Array
  readonly valueStart: Int32Array
  readonly valueEnd: Int32Array
  readonly timestamps: Float64Array
  readonly offsets: Float64Array
  /** Absent where no record of the run has headers. */
  readonly headers?: readonly (RecordHeaders | undefined)[]
  /** Where to read next. */
  readonly nextOffset: number
}

/** Reads committed records, on any thread that can read the database. */
export interface ReadableLog {
  /** In the order of their names. */
  topics(): TopicInfo[]
  topic(name: string): TopicInfo | undefined
  /** @throws DhaaraError DHAARA_TOPIC_UNKNOWN, as all that follow */
  startOffset(topic: string, partition: number): number
  endOffset(topic: string, partition: number): number
  /**
   * Records from `offset` on, or from the next that exists; undefined when caught up. A frame is never split at its end, so
   * the answer may be larger than `maxBytes`; small frames are joined.
   *
   * @throws DhaaraError DHAARA_STATE_CORRUPT, naming topic, partition and offset, if what was stored is damaged
   */
  fetch(topic: string, partition: number, offset: number, maxBytes?: number): FetchedBatch | undefined
  /** Where a group goes on. */
  groupOffset(group: string, topic: string, partition: number): number | undefined
}

/** What one commit has appended to one partition. */
export interface Appended {
  readonly topic: string
  readonly partition: number
  readonly baseOffset: number
  readonly endOffset: number
}

/** Appends that become visible together. */
interface Appending {
  /** Gives the frame its offsets (writing into its first bytes) and puts it into the batch. Returns its first record's offset. */
  append(topic: string, partition: number, frame: Uint8Array): number
  setGroupOffset(group: string, topic: string, partition: number, offset: number): void
  /** Gives the offsets back. What is in the batch is the caller's to drop. */
  rollback(): void
}

/** Appends that become visible together, with whatever else is in the write batch. */
export interface LogTransaction extends Appending {
  readonly batch: WriteBatch
  /** Commits the batch. If that throws, the offsets are given back and nothing has happened. */
  commit(options?: { readonly sync?: boolean }): void
}

/** Appends that another thread commits. */
export interface ApartTransaction extends Appending {
  /** It has. */
  committed(): void
}

/** The log's only writer. */
export interface OwnedLog extends ReadableLog {
  /**
   * Does nothing if the topic is there with as many partitions; `config`, if given, takes the place of the old one.
   *
   * @throws DhaaraError DHAARA_TOPIC_PARTITIONS, DHAARA_NAME_INVALID
   */
  createTopic(name: string, partitions: number, config?: TopicConfig): TopicInfo
  /** Removes the topic, its records and what groups had read of it. Does nothing if there is none. */
  deleteTopic(name: string): void
  config(topic: string): TopicConfig
  /**
   * One transaction at a time: it is to be committed or rolled back before the caller returns to the event loop. Blocks while
   * another thread commits one; who can wait looks at `free` before.
   */
  begin(batch: WriteBatch): LogTransaction
  /**
   * One that another thread commits. Until it is committed or rolled back, no other one begins.
   *
   * @param finish waits for that thread, blocking, and ends the transaction
   */
  beginApart(rows: Pick<WriteBatch, 'put'>, finish: () => void): ApartTransaction
  /** Resolves when the transaction is over that another thread commits; undefined: there is none. First come, first served. */
  free(): Promise<void> | undefined
  /** Waits for it, blocking: what is read then is of one commit. */
  settle(): void
  /** Called synchronously after each commit that appended records. A listener must not throw. */
  onAppend(listener: (appended: readonly Appended[]) => void): Disposable
  /** One bounded step of retention and compaction. True if there is more to do now. */
  maintain(now: number): boolean
}
