import { Bells } from '../../runtime/channels/bells.ts'

/** What an owner and its workers tell each other without a message: bells that wake, and who has something to write. */
export class WorkerSignals {
  readonly bellMemory: SharedArrayBuffer
  readonly bells: Bells
  readonly dirtyMemory: SharedArrayBuffer
  /** One Int32 a worker: it has something to write. One more: the workers are to wait. */
  private readonly flags: Int32Array
  private readonly workers: number

  constructor(workers: number) {
    this.workers = workers
    this.bellMemory = Bells.memory(workers)
    this.bells = new Bells(this.bellMemory)
    this.dirtyMemory = new SharedArrayBuffer(4 * (workers + 1))
    this.flags = new Int32Array(this.dirtyMemory)
  }

  /** Has any of them something to write? */
  get dirty(): boolean {
    for (let i = 0; i < this.workers; i++) if (Atomics.load(this.flags, i) === 1) return true
    return false
  }

  /** Workers wait while sinks are slow. */
  hold(full: boolean): void {
    const held = full ? 1 : 0
    if (Atomics.exchange(this.flags, this.workers, held) === held || full) return
    for (let worker = 0; worker < this.workers; worker++) this.bells.ring(worker)
  }

  /** Records have come to a partition. */
  arrived(partition: number): void {
    this.bells.ring(partition % this.workers)
  }
}
