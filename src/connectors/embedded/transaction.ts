import { DhaaraError } from '../../errors/index.ts'
import type { WriteBatch } from '../../state/backend.ts'
import { asBuffer, frameCount, headProblem, sealFrame } from '../broker/frame.ts'
import type { ApartTransaction, Appended, LogTransaction } from '../broker/log.ts'
import { frameKey, groupKey } from '../broker/log-keys.ts'
import type { PartitionState } from './partition.ts'

/** What transactions need of their log. */
interface Partitions {
  state(topic: string, partition: number): PartitionState
}

interface Reservation {
  readonly state: PartitionState
  readonly base: number
  end: number
  totalBytes: number
}

/** Offsets that are given to frames, and count when the frames are written. */
abstract class Reservations {
  private readonly log: Partitions
  private readonly rows: Pick<WriteBatch, 'put'>
  private readonly now: number
  private readonly done: (appended: readonly Appended[]) => void
  private readonly reserved = new Map<PartitionState, Reservation>()
  private ended = false

  /** @param done told what was appended; nothing: it was rolled back */
  constructor(
    log: Partitions,
    rows: Pick<WriteBatch, 'put'>,
    now: number,
    done: (appended: readonly Appended[]) => void,
  ) {
    this.log = log
    this.rows = rows
    this.now = now
    this.done = done
  }

  append(topic: string, partition: number, bytes: Uint8Array): number {
    this.check()
    const state = this.log.state(topic, partition)
    const frame = asBuffer(bytes)
    const problem = headProblem(frame)
    if (problem !== undefined) {
      throw new DhaaraError('DHAARA_INTERNAL', `What is to be appended to topic '${topic}' is no frame: ${problem}`)
    }
    const count = frameCount(frame)
    let reserved = this.reserved.get(state)
    const base = reserved?.end ?? state.end
    if (count === 0) return base
    if (reserved === undefined) {
      reserved = { state, base, end: base, totalBytes: state.totalBytes }
      this.reserved.set(state, reserved)
    }
    reserved.end += count
    reserved.totalBytes += frame.length
    sealFrame(frame, reserved.end - 1, this.now, reserved.totalBytes)
    this.rows.put(frameKey(state.topic.id, partition, reserved.end - 1), frame)
    return base
  }

  setGroupOffset(group: string, topic: string, partition: number, offset: number): void {
    this.check()
    const value = Buffer.allocUnsafe(8)
    value.writeDoubleLE(offset)
    this.rows.put(groupKey(group, this.log.state(topic, partition).topic.id, partition), value)
  }

  rollback(): void {
    if (this.ended) return
    this.ended = true
    this.done([])
  }

  /** The frames are written. */
  protected count(): void {
    this.ended = true
    const appended: Appended[] = []
    for (const { state, base, end, totalBytes } of this.reserved.values()) {
      state.end = end
      state.totalBytes = totalBytes
      appended.push({ topic: state.topic.name, partition: state.partition, baseOffset: base, endOffset: end })
    }
    this.done(appended)
  }

  protected check(): void {
    if (this.ended) throw new DhaaraError('DHAARA_INTERNAL', 'This transaction of the log has ended; begin another one')
  }
}

/** A transaction of the thread that owns the log. */
export class Transaction extends Reservations implements LogTransaction {
  readonly batch: WriteBatch

  constructor(log: Partitions, batch: WriteBatch, now: number, done: (appended: readonly Appended[]) => void) {
    super(log, batch, now, done)
    this.batch = batch
  }

  commit(options?: { readonly sync?: boolean }): void {
    this.check()
    try {
      this.batch.commit(options)
    } catch (error) {
      this.rollback()
      throw error
    }
    this.count()
  }
}

/** A transaction whose rows another thread writes. */
export class Apart extends Reservations implements ApartTransaction {
  committed(): void {
    this.check()
    this.count()
  }
}
