import type { Clock } from '../../dsl/time/index.ts'

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(at, fn) {
    const timer = setTimeout(fn, Math.max(0, Math.min(at - Date.now(), 0x7fffffff)))
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
}
