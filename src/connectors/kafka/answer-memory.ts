/** From this size on, memory is kept to be used again. */
const block = 256 << 10
/** Most bytes that are kept while nobody needs them. */
const mostIdle = 16 << 20

/**
 * Memory for answers of megabytes. What a collector has to find and give back costs it a look at all that lives, each 32 MB: more
 * than half of the processor's time of a source. Who has read an answer therefore gives its memory back by hand; who does not
 * leaves it to the collector.
 */
export class AnswerMemory {
  readonly #made = new WeakSet<ArrayBufferLike>()
  readonly #idle: ArrayBufferLike[] = []
  #idleBytes = 0

  /** So many bytes, with anything in them. */
  take(bytes: number): Buffer {
    if (bytes < block) return Buffer.allocUnsafeSlow(bytes)
    let best = -1
    for (let i = 0; i < this.#idle.length; i++) {
      const size = (this.#idle[i] as ArrayBufferLike).byteLength
      if (size >= bytes && (best < 0 || size < (this.#idle[best] as ArrayBufferLike).byteLength)) best = i
    }
    if (best >= 0) {
      const [memory] = this.#idle.splice(best, 1) as [ArrayBufferLike]
      this.#idleBytes -= memory.byteLength
      return Buffer.from(memory, 0, bytes)
    }
    const { buffer: memory } = Buffer.allocUnsafeSlow(Math.ceil(bytes / block) * block)
    this.#made.add(memory)
    return Buffer.from(memory, 0, bytes)
  }

  /** Nobody looks at it any more. What was not taken here is ignored. */
  give(memory: ArrayBufferLike): void {
    if (!this.#made.has(memory) || this.#idleBytes + memory.byteLength > mostIdle) return
    this.#idle.push(memory)
    this.#idleBytes += memory.byteLength
  }
}
