import type { MessagePort } from 'node:worker_threads'
import type { RawRecord } from '../../../dsl/records.ts'
import type { SentError } from '../../../errors/sent-error.ts'
import type { SharedHandle } from '../../../state/backends/index.ts'
import type { Packed } from '../../../state/epoch-pack.ts'
import type { ErrorReport, TaskReport } from '../../metrics/index.ts'
import type { Packed as PackedRows, RawQuery, TaskFlows } from '../../query/index.ts'
import type { SourceRecord } from '../../runtime/record.ts'
import type { SharedTransport } from '../../runtime/channels/transport.ts'
import type { ErrorAction, Settings } from '../settings/options.ts'

/** Settings without what cannot be sent: functions stay with the owner, who is asked. */
export type SentSettings = Omit<Settings, 'clock' | 'logger' | 'policies'> & {
  readonly policies: Readonly<Record<'data' | 'user' | 'external', ErrorAction | 'ask'>>
}

/** What a worker is started with. */
export interface WorkerStart {
  readonly url: string
  readonly env: Readonly<Record<string, string>>
  readonly worker: number
  readonly workers: number
  readonly settings: SentSettings
  readonly handle: SharedHandle
  readonly bells: SharedArrayBuffer
  /** Ends and positions of the sources' partitions; see `SourceOffsets`. */
  readonly offsets: SharedArrayBuffer
  readonly topics: readonly TopicSlot[]
  /** One Int32 a worker: it has something to write. One more: all are to wait, sinks are slow. */
  readonly dirty: SharedArrayBuffer
  /** Int32s: beats, sub-topology + 1 and partition of the task at work. */
  readonly pulse: SharedArrayBuffer
  readonly port: MessagePort
  readonly answers: MessagePort
  /** One Int32: answers given. */
  readonly answered: SharedArrayBuffer
}

/** A source's topic; its partitions' offsets begin at `base`. */
export interface TopicSlot {
  readonly name: string
  readonly partitions: number
  readonly base: number
}

/** Owner to worker. All but `close` count for one generation. */
export type Order =
  | {
      readonly type: 'restore'
      readonly epoch: number
      readonly careful: boolean
      readonly partitions: readonly number[]
      readonly topics: readonly string[]
      /** See SourceOffsets. */
      readonly offsets: SharedArrayBuffer
      readonly slots: readonly TopicSlot[]
      readonly storeIds: readonly (readonly [name: string, id: number])[]
      readonly bounds: Bounds
      /** Where sources begin that want the latest records alone. */
      readonly latest: Bounds
      readonly sources: EndingSources
      readonly filling: readonly string[]
      readonly refused: readonly RefusedRecord[]
      readonly transport: SharedTransport
    }
  | { readonly type: 'seal'; readonly generation: number; readonly epoch: number; readonly halt: boolean }
  | { readonly type: 'written'; readonly generation: number; readonly epoch: number }
  | { readonly type: 'bound'; readonly bounds: Bounds; readonly sources: EndingSources }
  | { readonly type: 'filling'; readonly topics: readonly string[] }
  /** Answered between two batches, whatever generation runs. */
  | {
      readonly type: 'query'
      readonly id: number
      readonly sub: number
      readonly partition: number
      readonly store: string
      readonly query: RawQuery
    }
  | { readonly type: 'close' }

/** Sources of the user's own that are to end where they end. */
export type EndingSources = readonly string[] | 'all'

/** A record that a worker did not come back from: it is left out from now on. */
export interface RefusedRecord extends SourceRecord {
  readonly deadLetter: boolean
  readonly error: SentError
}

/** Where bounded inputs end. */
export type Bounds = readonly (readonly [topic: string, partition: number, offset: number])[]

/** What a worker has done in one epoch. */
export interface EpochStats {
  /** Records that its tasks worked on, wherever they came from. */
  readonly processed: number
  readonly recordsIn: number
  readonly recordsOut: number
  readonly counters: readonly (readonly [name: string, n: number])[]
  readonly watermark: number
  /** How far the topics that are read here were read. */
  readonly positions: Bounds
  readonly flows: readonly TaskFlows[]
}

/** A worker's part of an epoch. */
export interface Part {
  readonly epoch: number
  readonly pack: Packed
  readonly frames: readonly { readonly topic: string; readonly partition: number; readonly frame: Uint8Array }[]
  /** All of its tasks have come to their end. */
  readonly ended: boolean
  readonly stats: EpochStats
}

/** Worker to owner. */
export type Report =
  | { readonly type: 'ready'; readonly hash: string }
  /** Its module cannot be run. */
  | { readonly type: 'broken'; readonly error: SentError }
  | { readonly type: 'part'; readonly generation: number; readonly part: Part }
  | { readonly type: 'ended'; readonly generation: number }
  /** So much waits to be written that an epoch should be opened early. */
  | { readonly type: 'pressed'; readonly generation: number }
  | {
      readonly type: 'failed'
      readonly generation: number
      readonly kind: 'careful' | 'retry' | 'fail'
      readonly error: SentError
    }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly fields: unknown
      readonly message?: string | undefined
    }
  | { readonly type: 'meters'; readonly tasks: readonly TaskReport[]; readonly errors: readonly ErrorReport[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: PackedRows | { readonly error: SentError } }
  | { readonly type: 'ask'; readonly question: Question }

/** What only the owner can answer; the worker waits for it. */
export type Question =
  | { readonly type: 'storeId'; readonly name: string }
  | { readonly type: 'ensureTopic'; readonly name: string }
  | {
      readonly type: 'policy'
      readonly domain: 'data' | 'user' | 'external'
      readonly error: SentError
      readonly record: SentRecord | undefined
    }

export type SentRecord = Omit<RawRecord, 'headers'> & { readonly headers: readonly (readonly [string, Uint8Array])[] }

export type Answer = { readonly value: unknown } | { readonly error: SentError }
