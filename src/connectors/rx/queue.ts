import type { Observable } from 'rxjs'
import { DhaaraError } from '../../errors/index.ts'

/** Values of an Observable as they are asked for, all that wait at once. What waits is bounded: an Observable cannot be held back. */
export async function* batches<T>(
  observable: Observable<T>,
  most: number,
  whenFull: 'fail' | 'dropOldest',
  signal: AbortSignal,
): AsyncGenerator<T[]> {
  let waiting: T[] = []
  let ended = false
  let failure: unknown
  let wake: () => void = () => {}
  const subscription = observable.subscribe({
    next(value) {
      if (waiting.length >= most) {
        if (whenFull === 'dropOldest') waiting.shift()
        else failure ??= full(most)
      }
      waiting.push(value)
      wake()
    },
    error(error) {
      failure ??= error
      ended = true
      wake()
    },
    complete() {
      ended = true
      wake()
    },
  })
  const abort = (): void => wake()
  signal.addEventListener('abort', abort)
  try {
    while (!signal.aborted) {
      if (failure !== undefined) throw failure
      if (waiting.length > 0) {
        const values = waiting
        waiting = []
        yield values
      } else if (ended) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    signal.removeEventListener('abort', abort)
    subscription.unsubscribe()
  }
}

const full = (most: number): DhaaraError =>
  new DhaaraError(
    'DHAARA_SOURCE_FULL',
    `an Observable has brought more than ${most} values that the job has not taken; slow it down (throttleTime, bufferTime), give it more room: {buffer}, or say {whenFull: 'dropOldest'}`,
  )
