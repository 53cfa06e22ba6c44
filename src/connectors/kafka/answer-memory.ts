import { SpareMemory } from '../broker/spare-memory.ts'

/** From this size on, memory is kept to be used again. */
const block = 256 << 10
const mostIdle = 16 << 20

/** Memory for answers of megabytes. Who has read one gives its memory back by hand; who does not leaves it to the collector. */
export class AnswerMemory {
  readonly #made = new WeakSet<ArrayBufferLike>()
  readonly #spare = new SpareMemory(block, mostIdle)

  /** So many bytes, with anything in them. */
  take(bytes: number): Buffer {
    if (bytes < block) return Buffer.allocUnsafeSlow(bytes)
    const memory = this.#spare.take(bytes)
    this.#made.add(memory)
    return Buffer.from(memory, 0, bytes)
  }

  /** Nobody looks at it any more. What was not taken here is ignored. */
  give(memory: ArrayBufferLike): void {
    if (this.#made.has(memory)) this.#spare.give(memory as ArrayBuffer)
  }
}
