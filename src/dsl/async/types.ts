import type { DhaaraError } from '../../errors/index.ts'
import type { StepOptions } from '../options.ts'
import type { RecordCopy } from '../records.ts'
import type { Serde } from '../serdes/types.ts'
import type { Duration } from '../time/index.ts'

export interface AsyncCall {
  readonly record: RecordCopy
  /** 1 for the first. */
  readonly attempt: number
  /** Aborted when the call times out or the app closes. */
  readonly signal: AbortSignal
}
export interface Retry {
  readonly attempts: number
  readonly backoff?: Duration
  readonly maxBackoff?: Duration
  readonly jitter?: boolean
  readonly when?: (error: unknown) => boolean
}
export interface Breaker {
  readonly failures?: number
  readonly share?: number
  readonly over?: Duration
  readonly openFor?: Duration
}
export interface AsyncOptions<K, V, VO, VF = never> extends StepOptions {
  readonly value?: Serde<VO | VF>
  readonly concurrency?: number
  /** Default 'key'. */
  readonly ordered?: 'key' | 'all' | false
  readonly timeout?: Duration
  readonly retry?: Retry
  readonly breaker?: Breaker
  fallback?(error: DhaaraError, value: V, key: K): VF | Promise<VF>
}
