import type { RetrySpec } from '../../dsl/plan/index.ts'
import type { Clock } from '../../dsl/time/index.ts'

/** Milliseconds before attempt n + 1, when n have failed: doubled each time, half of it left to chance. */
export function backoff(n: number, { backoff, maxBackoff }: RetrySpec, random: () => number = Math.random): number {
  const whole = Math.min(maxBackoff, backoff * 2 ** (n - 1))
  return whole / 2 + (random() * whole) / 2
}

/** Resolves after `ms`, or as soon as the signal is aborted. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      timer[Symbol.dispose]()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.setTimer(clock.now() + Math.ceil(ms), done)
    signal.addEventListener('abort', done, { once: true })
  })
}
