import type { ErrorReport, Latency, TaskReport } from '../metrics/index.ts'
import type { Savepoint } from './state/savepoint.ts'
import type { AskOwner, Changes, Waits } from '../query/index.ts'

/** What runs an app's tasks: in this thread, or on workers. */
export interface Engine {
  /** Of each sub-topology. */
  readonly partitions: readonly number[]
  /** Who watches committed rows; absent where that cannot be told. */
  readonly changes?: Changes
  /** Who waits for positions of inputs; absent where that cannot be told. */
  readonly applied?: Waits
  /** Who has which tasks, where an app has several instances. */
  readonly hosts?: readonly { readonly at?: string; readonly tasks: readonly string[] }[]
  /** Asks the tables of a store's task, between two batches. */
  readonly ask: AskOwner
  /** Somebody asks for committed rows. */
  heed?(): void
  /** Resolves when its tasks run. */
  start(): Promise<void>
  /** Seals, writes and lets go. @param timeout ms after which what is not written is left to the next start */
  stop(timeout?: number): Promise<void>
  /** Topics (default: all) are bounded: they end where they end now. */
  endInputs(topics?: readonly string[]): void
  /** These topics, and no others, have more to come, which is worth waiting for: they are being filled. */
  fillInputs?(topics: readonly string[]): void
  /** Offset of the first record of a partition that some task has not processed; undefined if none reads it. */
  positionOf?(topic: string, partition: number): number | undefined
  /** Where the state lies elsewhere than in the app's database. @param folder made for it */
  savepoint?(folder: string): Promise<Savepoint>
  report(): EngineReport
  /** How each task is, and what each step has done. */
  readonly meters: EngineMeters
}

/** What the console and the metrics are made from; all of it since the start, or since the last time a thread began anew. */
export interface EngineMeters {
  tasks(): readonly TaskReport[]
  /** What went wrong with records, last first. */
  errors(): readonly ErrorReport[]
  /** From an input's log to the commit; absent where arrivals are not seen. */
  readonly latency?: Latency
}

export interface EngineEvents {
  /** All inputs have ended, and everything is written. */
  ended(): void
  failed(error: unknown): void
  /** A part of it is replaced; all tasks go back to the last checkpoint. */
  rebalancing?(): void
  running?(): void
  checkpoint(event: CheckpointEvent): void
}

export interface CheckpointEvent {
  readonly epoch: number
  /** How long writing it took. */
  readonly ms: number
  readonly bytes: number
  /** Where they were measured. */
  readonly parts?: CheckpointParts
}

/** What a checkpoint's time went into, ms. */
export interface CheckpointParts {
  /** On workers: until all of them had sealed their parts. */
  readonly barrier?: number
  /** Encoding what has changed. */
  readonly flush: number
  /** On Kafka: until the brokers have all of it, and its transaction is over. */
  readonly commit?: number
  /** The database's write. */
  readonly write?: number
  /** The same, forced to the disk. */
  readonly sync?: number
}

export interface EngineReport {
  /** Records read from topics. */
  readonly recordsIn: number
  /** Records written to topics. */
  readonly recordsOut: number
  readonly counters: ReadonlyMap<string, number>
  readonly epochs: number
  /** The lowest of all tasks. */
  readonly watermark: number
  /** Where they come with the rest. */
  readonly tasks?: readonly TaskReport[]
  readonly errors?: readonly ErrorReport[]
}
