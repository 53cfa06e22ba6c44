import type { OwnedLog } from '../../../connectors/broker/log.ts'
import { asBuffer } from '../../../state/codec/index.ts'
import type { EpochWriter } from '../epochs/epoch-writer.ts'
import { failpoint } from '../epochs/failpoints.ts'
import { isWritten, type Outcome } from '../epochs/scribe.ts'
import type { Written } from '../epochs/scribe-protocol.ts'
import { Coordinator } from './coordinator.ts'
import type { Part } from './worker-protocol.ts'
import type { Workers } from './workers.ts'

/** What the engine of the workers hears of their epochs. */
export interface EpochHooks {
  /** Whether an epoch may be opened now. */
  mayOpen(): boolean
  /** The database has it. @param last after it, workers do no more */
  written(epoch: number, parts: readonly Part[], last: boolean): void
  /** The thread that writes could not, or has died; one that died may have written it. */
  unwritten(outcome: Exclude<Outcome, Written>): void
  /** What became of the epoch that was being written is known, and nothing is written now. */
  idle(): void
  failed(error: unknown): void
}

/**
 * Epochs of workers, one generation of them after another: opened when there is something to write and room for it, collected
 * from all workers, written one at a time by a thread that does nothing else (docs/proofs/epochs.md).
 */
export class WorkerEpochs {
  private readonly workers: Workers
  private readonly writer: EpochWriter
  private readonly log: OwnedLog
  private readonly hooks: EpochHooks
  private coordinator: Coordinator
  private readonly atEnd = new Set<number>()
  /** An epoch is to be opened as soon as there is room. */
  private due = false
  /** The thread that writes has an epoch of which it has not been told what became. */
  private underWay = false
  private current = 0
  /** The generation whose epochs the coordinator has. */
  private begun = 0
  /** Of the epoch after which workers do no more. */
  private haltEpoch = Number.POSITIVE_INFINITY

  constructor(workers: Workers, writer: EpochWriter, log: OwnedLog, hooks: EpochHooks) {
    this.workers = workers
    this.writer = writer
    this.log = log
    this.hooks = hooks
    this.coordinator = new Coordinator(workers.count, 0)
  }

  /** What workers hand over counts if it is of this one. */
  get generation(): number {
    return this.current
  }

  /** The last epoch that the database has. */
  get written(): number {
    return this.coordinator.written
  }

  /** Whether it is not known yet what the last one is. */
  get writing(): boolean {
    return this.underWay
  }

  /** A new generation, behind the last epoch that was written. Not while one is being written. */
  begin(): void {
    this.begun = ++this.current
    this.atEnd.clear()
    this.coordinator = new Coordinator(this.workers.count, this.coordinator.written)
  }

  /** Nothing that the workers of this generation hand over is written any more; what is being written still may be. */
  end(): void {
    this.current++
  }

  /** The next one is to be opened as soon as there is room. */
  want(): void {
    this.due = true
  }

  /** All tasks of a worker have come to their end: an epoch is opened when those of all have. */
  ended(worker: number): void {
    this.atEnd.add(worker)
    this.openIfDue()
  }

  openIfDue(): void {
    const allEnded = this.atEnd.size === this.workers.count
    if (!this.hooks.mayOpen() || !this.coordinator.roomy || !(this.due || allEnded)) return
    this.due = false
    // a worker says it once: an epoch that comes before the others have ended must not forget it
    if (allEnded) this.atEnd.clear()
    this.open(false)
  }

  /** One more, after which workers do no more. */
  openLast(): void {
    this.open(true)
  }

  collect(worker: number, part: Part): void {
    if (this.isOver) return
    try {
      this.coordinator.add(worker, part)
      failpoint('first-part')
    } catch (error) {
      return this.hooks.failed(error)
    }
    this.writeNext()
    this.openIfDue()
  }

  private get isOver(): boolean {
    return this.current !== this.begun
  }

  private open(halt: boolean): void {
    const epoch = this.coordinator.open()
    if (halt) this.haltEpoch = epoch
    this.workers.tell({ type: 'seal', generation: this.current, epoch, halt })
    failpoint('epoch-opened')
  }

  /** Has the next epoch written, if it is whole, and nothing else is being written to the log. */
  private writeNext(): void {
    const parts = this.underWay || this.isOver ? undefined : this.coordinator.whole
    if (parts === undefined) return
    const busy = this.log.free()
    if (busy !== undefined) return void busy.then(() => this.writeNext())
    try {
      this.underWay = true
      this.write(parts)
    } catch (error) {
      this.underWay = false
      this.hooks.failed(error)
    }
  }

  private write(parts: readonly Part[]): void {
    // another one may have begun to come when it is written
    const generation = this.current
    this.writer.writeApart(
      parts.map(({ pack }) => pack),
      parts.flatMap(({ frames }) => frames.map((one) => ({ ...one, frame: asBuffer(one.frame) }))),
      this.coordinator.age,
      (outcome) => {
        this.underWay = false
        try {
          if (isWritten(outcome)) this.done(parts, generation)
          if (!('bytes' in outcome)) this.hooks.unwritten(outcome)
        } catch (error) {
          this.hooks.failed(error)
        }
        this.hooks.idle()
        // behind those who wait for the log
        queueMicrotask(() => this.writeNext())
      },
    )
  }

  private done(parts: readonly Part[], generation: number): void {
    const epoch = this.coordinator.done()
    this.workers.tell({ type: 'written', generation, epoch })
    failpoint('after-told')
    this.hooks.written(epoch, parts, epoch >= this.haltEpoch)
    this.openIfDue()
  }
}
