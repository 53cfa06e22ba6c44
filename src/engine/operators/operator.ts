import type { TaskClock } from '../time/clock.ts'
import type { WallClock } from '../time/wall.ts'
import type { WallTime } from '../time/wall-time.ts'

/** Where a stream step's results go. */
export type Emit = (key: unknown, value: unknown, ts: number) => void
/** Where a table step's results go: the new row (null: deleted), the old one where asked for (else undefined). */
export type EmitChange = (key: unknown, value: unknown, old: unknown, ts: number) => void

export interface Counter {
  n: number
}

/** What operators get of their task. */
export interface OperatorContext {
  readonly clock: TaskClock
  readonly wall: WallClock
  /** Of windows over the wall clock. */
  readonly wallTime: WallTime
  /** Counts what a step drops, by reason: 'null-key', 'null-value', 'late', … */
  dropped(step: string, reason: string): Counter
  /** Range clears that the running epoch makes due. */
  readonly clears: { clearLater(gte: Uint8Array, lt: Uint8Array): void }
  /** User code gets copies of aggregates, so that one that fails half-way leaves its store unchanged. */
  readonly careful: boolean
  readonly copy: (value: unknown) => unknown
  /** Any other count, by its whole name. */
  counter(name: string): Counter
  /** Hands what user code threw to the policy; key and value of what is lost by it, where no record is at hand. */
  fail(error: unknown, stepId: number, key?: unknown, value?: unknown): void
  /** User code gets frozen values. */
  readonly strict: boolean
}

export const noEmit = (): void => {}
