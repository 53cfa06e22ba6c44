import type { Rocks } from './rocks.ts'

/** Wall time between two checkpoints, milliseconds. */
const interval = 100
/** Records between two looks at the clock. */
export const batchSize = 1_000

const positionKey = Buffer.from([0xff])

/**
 * When the next checkpoint is due, and the input position that goes with it: after a crash the loop would go on from
 * there, with the state of the same moment.
 */
export class Epoch {
  #due = performance.now() + interval
  readonly #position = Buffer.alloc(16)

  due(): boolean {
    return performance.now() >= this.#due
  }

  /** Adds position and highest event time to the batch and writes it. */
  commit(db: Rocks, position: number, highestTime = 0): void {
    this.#position.writeDoubleBE(position, 0)
    this.#position.writeDoubleBE(highestTime, 8)
    db.put(positionKey, this.#position)
    db.commit()
    this.#due = performance.now() + interval
  }
}
