import type { AnySerde, OwnSourceSpec, SourceNode, StoreSpec } from '../../dsl/plan/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import type { DhaaraError } from '../../errors/index.ts'
import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { SourcePosition } from '../connect/chunk.ts'
import type { SourceReader } from '../connect/source-reader.ts'
import type { Outputs } from './outputs.ts'
import type { CurrentRecord, RecordBatch } from './record.ts'
import type { BacklogLimit } from './tasks/backlog.ts'

export type ErrorAction = 'fail' | 'skip' | 'deadLetter' | 'retry'

/** What becomes of a record that is left out, and why. */
export interface Refusal {
  readonly error: DhaaraError
  readonly deadLetter: boolean
}

/** What a group of tasks needs of the thread and the app around it. */
export interface Host {
  readonly reader: BackendReader
  readonly outputs: Outputs
  /** Number that a store has in the key space; kept in the state directory. @param sub whose tasks open it */
  storeId(name: string, sub: number): number
  /** Of topics that sources read. */
  partitionsOf(topic: string): number
  /** Topics that exist, for sources by pattern. */
  topics(): readonly string[]
  fetch(topic: string, partition: number, offset: number): FetchedBatch | undefined
  /** Nobody looks at what was fetched any more, nor at a view of it. */
  done?(fetched: FetchedBatch): void
  behind(topic: string, partition: number, offset: number): boolean
  /** Where a source begins that has no position yet. */
  startOffset(source: SourceNode, topic: string, partition: number): number
  now(): number
  /** Reads a source that is no topic; undefined: whoever runs the tasks brings its records as those of a topic of its name. */
  openSource?(
    spec: OwnSourceSpec,
    at: { readonly name: string; readonly partition: number },
    start: SourcePosition,
  ): SourceReader
  /** A task is at work now: for those who watch whether it ever comes back. */
  working?(sub: number, partition: number): void
  /** Records of a topic partition that nobody shall see again: a worker did not come back from one of them. */
  refused?(topic: string, partition: number): ReadonlyMap<number, Refusal> | undefined
  /** The thread has something to do that no topic and no clock tells of. */
  wake?(): void
  /** What is sent is processed at once: nothing is asked for beforehand. */
  readonly atOnce?: boolean
  /** 0 … 1, for back-off; of results nothing depends on it. */
  random?(): number
  /** User code that threw; the record at hand is `rec`. */
  onUserError(error: DhaaraError, rec: CurrentRecord): ErrorAction
  /** Data that could not be read. */
  onDataError(error: DhaaraError, source: SourceNode, batch: FetchedBatch, i: number): ErrorAction
  /** Writes a dead letter with the epoch. */
  deadLetterRaw(error: DhaaraError, batch: FetchedBatch, i: number): void
  deadLetter(error: DhaaraError, rec: CurrentRecord): void
  readonly options: GroupOptions
}

export interface GroupOptions {
  /** Copies aggregates before each call of user code. */
  readonly careful: boolean
  /** Freezes what user code must not change. */
  readonly strict: boolean
  /** `new Function` may be used. */
  readonly codegen: boolean
  readonly cacheBytes: number
  readonly maxTimestampAhead: number
  /** How long to wait for an input that may bring something older, ms of the wall clock. */
  readonly maxTaskIdle: number
  /** An input that never had a record is idle after this time, ms of the wall clock. */
  readonly emptyIdle: number
  /** Records a slice. */
  readonly batchSize: number
  /** Of records that wait for a task in memory; default: `usualLimit`. */
  readonly mostWaiting?: BacklogLimit
  /** Requests of an asynchronous step before its task waits; default: twice its concurrency. */
  readonly maxInFlight?: number
}

/** Which task of which sub-topology. */
export interface TaskId {
  readonly sub: number
  readonly partition: number
}

export type { AnySerde, RecordBatch, StoreSpec }
