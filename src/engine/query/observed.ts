import type { Observed, Subscription } from './types.ts'

interface Observer<T> {
  next?(value: T): void
  error?(error: unknown): void
  complete?(): void
}

/**
 * An async iterable that can be subscribed to. Each iteration and each subscription begins anew.
 *
 * @param start begins; ends when the signal aborts
 */
export function observed<T>(start: (signal: AbortSignal) => AsyncIterable<T>): Observed<T> {
  return {
    [Symbol.asyncIterator]: () => start(new AbortController().signal)[Symbol.asyncIterator](),
    subscribe(given: ((value: T) => void) | Observer<T>): Subscription {
      const observer: Observer<T> = typeof given === 'function' ? { next: given } : given
      const stop = new AbortController()
      let closed = false
      const run = async (): Promise<void> => {
        try {
          for await (const value of start(stop.signal)) {
            if (closed) return
            observer.next?.(value)
          }
        } catch (error) {
          if (closed) return
          closed = true
          if (observer.error === undefined) throw error
          observer.error(error)
          return
        }
        if (closed) return
        closed = true
        observer.complete?.()
      }
      // an error that nobody takes must not go unseen
      run().catch((error: unknown) =>
        setImmediate(() => {
          throw error
        }),
      )
      const unsubscribe = (): void => {
        closed = true
        stop.abort()
      }
      return {
        get closed() {
          return closed
        },
        unsubscribe,
        [Symbol.dispose]: unsubscribe,
      }
    },
  }
}
