/**
 * The partitioned log as the engine sees it. Implementations: `embedded` (RocksDB in this process), Kafka.
 * Synchronous on purpose: the embedded log answers at once; a remote one answers from what it has fetched ahead.
 */
export interface TopicInfo {
  readonly name: string
  readonly partitions: number
}

/**
 * A run of consecutive records of one partition, decoded to offsets into one buffer (struct of arrays).
 * Record i: key = data[keyStart[i], keyEnd[i]), null if keyStart[i] < 0; value likewise; offset = offsets[i].
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
  readonly headers?: readonly (readonly (readonly [string, Uint8Array])[] | undefined)[]
  /** Where to read next. */
  readonly nextOffset: number
}

/** Collects records of one topic partition in growing buffers: no object a record. */
export interface FrameBuilder {
  readonly count: number
  readonly bytes: number
  add(key: Uint8Array | null, value: Uint8Array | null, timestamp: number, headers?: readonly (readonly [string, Uint8Array])[]): void
  /** Appends text as the value, written straight into the buffer (for JSON). */
  addText(key: Uint8Array | null, value: string, timestamp: number, headers?: readonly (readonly [string, Uint8Array])[]): void
  /** The frame's bytes without its base offset, which is given when it is appended. Empties the builder. */
  finish(): Uint8Array
}
