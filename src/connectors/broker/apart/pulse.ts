/** A count that rises as long as this thread's event loop turns, for another thread to look at. */
export class Pulse {
  readonly memory = new SharedArrayBuffer(4)
  private readonly timer: NodeJS.Timeout

  constructor(memory?: SharedArrayBuffer) {
    if (memory !== undefined) this.memory = memory
    const count = new Int32Array(this.memory)
    this.timer = setInterval(() => Atomics.add(count, 0, 1), 200)
    this.timer.unref()
  }

  stop(): void {
    clearInterval(this.timer)
  }
}

/** Calls `stuck` when a pulse has stood still for so long; once, until it beats again. */
export function watchPulse(memory: SharedArrayBuffer, patience: number, stuck: (ms: number) => void): Disposable {
  const count = new Int32Array(memory)
  let seen = Atomics.load(count, 0)
  let since = performance.now()
  let told = false
  const timer = setInterval(
    () => {
      const now = Atomics.load(count, 0)
      if (now !== seen) {
        seen = now
        since = performance.now()
        told = false
        return
      }
      const silent = performance.now() - since
      if (told || silent < patience) return
      told = true
      stuck(silent)
    },
    Math.max(50, patience / 4),
  )
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
