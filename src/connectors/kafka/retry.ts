import { setTimeout as delay } from 'node:timers/promises'
import { mayRetry } from './wire/errors.ts'

export interface RetryOptions {
  /** Milliseconds after which the last error is thrown; default one minute. */
  readonly within?: number
  /** Of the first pause; it grows to a second. */
  readonly pauseMs?: number
  /** Before a pause: puts right what the error says is out of date. */
  readonly before?: (error: unknown) => void
  readonly signal?: AbortSignal
}

/** Calls until it goes well, or fails for good. */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { within = 60_000, pauseMs = 20, before, signal } = options
  const until = performance.now() + within
  for (let pause = pauseMs; ; pause = Math.min(1000, pause * 2)) {
    try {
      return await attempt()
    } catch (error) {
      if (!mayRetry(error) || performance.now() + pause > until || signal?.aborted) throw error
      before?.(error)
      await delay(pause * (0.75 + Math.random() / 2), undefined, signal === undefined ? {} : { signal })
    }
  }
}
