import type { Random } from './random.ts'

/** How far events stray from the order of their timestamps; durations are milliseconds, both ends included. */
export interface DelayRules {
  /** Share of events that arrive after younger ones, yet within the watermark's bound. */
  readonly disorder: number
  /** Share of events that the watermark overtakes: half of them `slightly`, half of them `very`. */
  readonly late: number
  /** The watermark's bound. */
  readonly bound: number
  /** Longer than the bound, but within the grace of the windows. */
  readonly slightly: readonly [from: number, to: number]
  /** So long that the windows are closed. */
  readonly very: readonly [from: number, to: number]
}

/**
 * Draws the time that an event spends on its way. It moves an event back in the order of arrival and leaves its timestamp alone.
 * @param random a stream of its own, so that the shares change the order of the events and nothing else
 */
export function delays(random: Random, rules: DelayRules): () => number {
  const { disorder, late, bound, slightly, very } = rules
  return () => {
    const x = random.fraction()
    if (x < late / 2) return random.int(...slightly)
    if (x < late) return random.int(...very)
    if (x < late + disorder) return random.int(1, bound)
    return 0
  }
}
