import type { MessagePort } from 'node:worker_threads'
import type { SharedHandle } from '../../../state/backends/index.ts'
import type { SentError } from '../../../errors/sent-error.ts'
import type { EngineReport } from '../../app/engine.ts'
import type { Report, SentSettings } from '../../app/workers/worker-protocol.ts'
import type { TaskId } from '../../runtime/host.ts'
import type { RunnerEvents, TaskRunner } from './task-runner.ts'
import type { Written } from '../queries/watches.ts'

/** What a worker with a runner is started with. */
export interface RunnerStart {
  readonly url: string
  readonly env: Readonly<Record<string, string>>
  readonly worker: number
  readonly workers: number
  readonly settings: SentSettings
  readonly transactionalId: string
  readonly handle: SharedHandle
  readonly pulse: SharedArrayBuffer
  /** One Int32: see `Teller`. */
  readonly writes: SharedArrayBuffer
  /** Of a `Lease`. */
  readonly lease: SharedArrayBuffer
  readonly port: MessagePort
  /** To the thread of the log. */
  readonly log: MessagePort
  readonly answers: MessagePort
  /** One Int32: answers given. */
  readonly answered: SharedArrayBuffer
}

export interface RunnerCall {
  /** Absent: nobody waits for the answer. */
  readonly id?: number
  readonly method: Exclude<keyof TaskRunner, 'report' | 'positionOf' | 'writes'>
  readonly args: readonly unknown[]
}

/** Runner to owner, besides what workers of the embedded log say too. */
export type RunnerReport =
  | Extract<Report, { type: 'ready' | 'broken' | 'log' | 'ask' }>
  | {
      readonly type: 'reply'
      readonly id: number
      readonly value?: unknown
      readonly error?: SentError
      /** Of tasks that were just given to it. */
      readonly report?: EngineReport
    }
  | {
      readonly type: 'checkpoint'
      readonly event: Parameters<RunnerEvents['checkpoint']>[0]
      readonly report: EngineReport
    }
  | { readonly type: 'written'; readonly written: Written }
  | { readonly type: 'ended'; readonly tasks: readonly TaskId[]; readonly report: EngineReport }
  | { readonly type: 'refused' | 'failed'; readonly error: SentError }
