import type { MessagePort } from 'node:worker_threads'
import type { SentError } from '../../../errors/sent-error.ts'
import type { SharedHandle } from '../../../state/backends/index.ts'
import type { Packed } from '../../../state/epoch-pack.ts'

/** Holds the mark of what was written last; nobody else has a key under the byte 0. */
export const markKey = Buffer.of(0, 1)

/** What the thread is started with. */
export interface ScribeStart {
  readonly port: MessagePort
  readonly handle: SharedHandle
  /** One Int32: the number of the last order that is done with. */
  readonly over: SharedArrayBuffer
}

/** To be written as one batch. */
export interface Writing {
  readonly number: number
  readonly packs: readonly Packed[]
  /** Written with it: whoever finds it knows that all of it is there. */
  readonly mark: Uint8Array
  readonly sync: boolean
}

export interface Written {
  readonly bytes: number
  readonly fillMs: number
  readonly writeMs: number
}

/** What became of it. */
export type Told = Written | { readonly error: SentError }
