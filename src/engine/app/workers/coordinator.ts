import { DhaaraError } from '../../../errors/index.ts'
import type { Part } from './worker-protocol.ts'

/** Epochs that may be open at a time: while one is written, or waits for a slow worker, the next one may be sealed. */
export const mostOpen = 2

/**
 * The epochs of one generation: which are open, whose parts have come. Rules 1, 11 and 12 of docs/proofs/epochs.md:
 * opened in order, written in order, and only when the parts of all workers are there.
 */
export class Coordinator {
  private readonly workers: number
  private readonly parts = new Map<number, (Part | undefined)[]>()
  private readonly openedAt = new Map<number, number>()
  private opened: number
  private wrote: number

  /** @param written the last epoch that the database has */
  constructor(workers: number, written: number) {
    this.workers = workers
    this.opened = written
    this.wrote = written
  }

  /** The last epoch that was written. */
  get written(): number {
    return this.wrote
  }

  /** May another epoch be opened? */
  get roomy(): boolean {
    return this.opened - this.wrote < mostOpen
  }

  /** Gives the number of the next epoch. */
  open(): number {
    const epoch = ++this.opened
    this.openedAt.set(epoch, performance.now())
    this.parts.set(epoch, new Array<Part | undefined>(this.workers).fill(undefined))
    return epoch
  }

  add(worker: number, part: Part): void {
    const parts = this.parts.get(part.epoch)
    if (parts === undefined || parts[worker] !== undefined)
      throw new DhaaraError(
        'DHAARA_INTERNAL',
        `worker ${worker} handed over epoch ${part.epoch}; expected one of ${[...this.parts.keys()].join(', ') || 'none'}, once`,
      )
    parts[worker] = part
  }

  /** The parts of the next epoch to write, if they are all there. */
  get whole(): readonly Part[] | undefined {
    const parts = this.parts.get(this.wrote + 1)
    return parts?.every((part) => part !== undefined) ? (parts as Part[]) : undefined
  }

  /** How long the next epoch to write has been open, ms. */
  get age(): number {
    return performance.now() - (this.openedAt.get(this.wrote + 1) ?? Number.NaN)
  }

  /** It was written: the one after it is next. */
  done(): number {
    this.openedAt.delete(this.wrote + 1)
    this.parts.delete(++this.wrote)
    return this.wrote
  }
}
