/** What goes between a thread that uses a remote log and the thread where the log lives. Messages keep their order. */
import type { MessagePort } from 'node:worker_threads'
import type { SentError } from '../../../errors/sent-error.ts'
import type { RecordHeaders } from '../log.ts'
import type { MemberOptions, ReaderOptions, WriterOptions } from '../remote.ts'

/** Number of a reader, writer or member; the log itself is 0. */
export type Target = number
export const theLog: Target = 0

export type Opened =
  | { readonly kind: 'reader'; readonly options: Omit<ReaderOptions, 'onData'> }
  | { readonly kind: 'writer'; readonly options: WriterOptions }
  | { readonly kind: 'member'; readonly options: Omit<MemberOptions, 'userData' | 'assign'> }

export type Request =
  | { readonly type: 'open'; readonly target: Target; readonly what: Opened }
  | {
      readonly type: 'call'
      /** Absent: nobody waits for the answer. */
      readonly id?: number
      readonly target: Target
      readonly method: string
      readonly args: readonly unknown[]
    }
  /** What was asked of this thread. */
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: SentError }
  /** Another thread uses the log too. */
  | { readonly type: 'join'; readonly port: MessagePort }
  /** A count that rises as long as this thread's event loop turns; if it stands still for so long, members leave. */
  | { readonly type: 'watch'; readonly pulse: SharedArrayBuffer; readonly patience: number }

export type Reply =
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: SentError }
  | { readonly type: 'ask'; readonly id: number; readonly target: Target; readonly args: readonly unknown[] }
  | { readonly type: 'read'; readonly target: Target; readonly news: ReadNews }
  | { readonly type: 'rebalance'; readonly target: Target; readonly error?: SentError }

/** Of one partition. */
export interface ReadNews {
  readonly topic: string
  readonly partition: number
  /** Of the position that was asked for; news of an older one come too late. */
  readonly version: number
  readonly end: number
  readonly batch?: SentBatch
  readonly error?: SentError
}

/** A run of records in memory of its own. */
export interface SentBatch {
  readonly count: number
  readonly data: Uint8Array
  readonly keyStart: Int32Array
  readonly keyEnd: Int32Array
  readonly valueStart: Int32Array
  readonly valueEnd: Int32Array
  readonly timestamps: Float64Array
  readonly offsets: Float64Array
  readonly headers?: readonly (RecordHeaders | undefined)[]
  readonly nextOffset: number
}

/** What a batch that waits costs, in bytes. */
export const sizeOf = ({ data, count }: { readonly data: Uint8Array; readonly count: number }): number =>
  data.length + 32 * count
