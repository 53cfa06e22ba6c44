/**
 * Wakes threads: a counter and a sleeper's flag for each, in shared memory. Whoever has something for a thread rings its
 * bell; a thread that has found nothing to do sleeps until the counter is no longer what it was before it looked.
 */
export class Bells {
  private readonly words: Int32Array

  static memory(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(threads * 64)
  }

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory)
  }

  ring(thread: number): void {
    const at = thread * 16
    Atomics.add(this.words, at, 1)
    // whoever rings first wakes it: that costs a system call
    if (Atomics.load(this.words, at + 8) === 1 && Atomics.exchange(this.words, at + 8, 0) === 1)
      Atomics.notify(this.words, at)
  }

  /** To be read before looking for something to do. */
  count(thread: number): number {
    return Atomics.load(this.words, thread * 16)
  }

  /** Until the bell has been rung since `count`, or the time is up. The event loop turns meanwhile. */
  async sleep(thread: number, count: number, ms: number): Promise<void> {
    const at = thread * 16
    Atomics.store(this.words, at + 8, 1)
    const { async, value } = Atomics.waitAsync(this.words, at, count, ms)
    if (async) await value
    Atomics.store(this.words, at + 8, 0)
  }
}
