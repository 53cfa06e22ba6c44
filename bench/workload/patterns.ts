/**
 * The events that patterns are searched in: types A, B, C, D with shares 10, 10, 10, 70 %, 1 ms of event time apart, 1 %
 * of them up to 1 s out of order, keys uniform. The same seed gives the same bytes.
 */
import { Random } from './random.ts'

export interface PatternEvent {
  readonly id: number
  /** `k-0` .. */
  readonly key: string
  readonly type: 'A' | 'B' | 'C' | 'D'
  /** 0..999 */
  readonly value: number
  /** Event time, epoch milliseconds. */
  readonly at: number
}

export const patternStart = 1_700_000_000_000
/** Highest distance of an event behind the highest time before it, milliseconds. */
export const patternBound = 1_000

/** Makes events one after the other. */
export function patternGenerator(keys: number, seed: number): () => PatternEvent {
  const random = new Random(seed)
  let next = 0
  return () => {
    const id = next++
    const behind = random.below(100) === 0 ? 1 + random.below(patternBound) : 0
    return {
      id,
      key: `k-${random.below(keys)}`,
      type: ('ABC'[random.below(10)] as 'A' | undefined) ?? 'D',
      value: random.below(1000),
      at: patternStart + id - behind,
    }
  }
}
