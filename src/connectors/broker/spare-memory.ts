/** Memory that is larger by more than this factor is left for what needs it. */
const mostSlack = 8

/**
 * Memory outside of the heap that is used again. Each 32 MB that are made there begin a whole collection, whatever the heap
 * holds; so who needs such memory again and again takes it here, and gives it back by hand.
 */
export class SpareMemory {
  readonly #block: number
  readonly #most: number
  readonly #idle: ArrayBuffer[] = []
  #bytes = 0

  /** @param block sizes are multiples of it, and what is smaller is not kept @param most bytes that are kept while nobody needs them */
  constructor(block: number, most: number) {
    this.#block = block
    this.#most = most
  }

  /** So many bytes at least, with anything in them. */
  take(bytes: number): ArrayBuffer {
    if (bytes < this.#block) return Buffer.allocUnsafeSlow(bytes).buffer
    let best = -1
    let size = bytes * mostSlack
    for (let i = 0; i < this.#idle.length; i++) {
      const { byteLength } = this.#idle[i] as ArrayBuffer
      if (byteLength < bytes || byteLength > size) continue
      best = i
      size = byteLength
    }
    if (best < 0) return Buffer.allocUnsafeSlow(Math.ceil(bytes / this.#block) * this.#block).buffer
    const [memory] = this.#idle.splice(best, 1) as [ArrayBuffer]
    this.#bytes -= memory.byteLength
    return memory
  }

  /** Nobody looks at it any more. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength < this.#block) return
    // what was not wanted for longest makes room
    while (this.#idle.length > 0 && this.#bytes + memory.byteLength > this.#most)
      this.#bytes -= (this.#idle.shift() as ArrayBuffer).byteLength
    if (this.#bytes + memory.byteLength > this.#most) return
    this.#idle.push(memory)
    this.#bytes += memory.byteLength
  }
}
