import type { brand } from '../brand.ts'
import type { Duration, Timestamp } from '../time/index.ts'

/** W: no record with timestamp <= W is expected any more. */
export interface WatermarkStrategy<V = unknown> {
  /** Idle when caught up and silent for d (default '30s'). `followClock`: W then moves with the wall clock. */
  withIdleness(d: Duration, opts?: { readonly then?: 'followClock' }): WatermarkStrategy<V>
  withoutIdleness(): WatermarkStrategy<V>
  readonly [brand]: (value: V) => 'watermark'
}

export interface WatermarkFactory<V = unknown> {
  /** Highest timestamp - 1; the default. */
  monotonous(): WatermarkStrategy
  /** Highest timestamp - d - 1. */
  boundedOutOfOrderness(d: Duration): WatermarkStrategy
  /** Returns the new W, or null to leave it. */
  punctuated<SV = V>(fn: (value: SV, timestamp: Timestamp) => Timestamp | null): WatermarkStrategy<SV>
  /** Moves only by hand (test driver) or at the end of input. */
  none(): WatermarkStrategy
}
