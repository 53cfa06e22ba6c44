import type { Rocks } from './rocks.ts'

/** Time between two checkpoints, milliseconds. */
export const interval = 100
/** Records between two looks at the clock. */
export const batchSize = 1_000

const positionKey = Buffer.from([0xff])

/**
 * Milliseconds: wall time; with `BENCH_CLOCK=cpu` the time that this thread has run, which on a busy machine keeps the
 * work between two checkpoints the same for all subjects.
 */
export const now: () => number =
  process.env.BENCH_CLOCK === 'cpu'
    ? () => {
        const { user, system } = process.threadCpuUsage()
        return (user + system) / 1000
      }
    : () => performance.now()

/**
 * When the next checkpoint is due, and the input position that goes with it: after a crash the loop would go on from
 * there, with the state of the same moment.
 */
export class Epoch {
  #due = now() + interval
  readonly #position = Buffer.alloc(16)

  due(): boolean {
    return now() >= this.#due
  }

  /** Adds position and highest event time to the batch and writes it. */
  commit(db: Rocks, position: number, highestTime = 0): void {
    this.#position.writeDoubleBE(position, 0)
    this.#position.writeDoubleBE(highestTime, 8)
    db.put(positionKey, this.#position)
    db.commit()
    this.#due = now() + interval
  }
}
