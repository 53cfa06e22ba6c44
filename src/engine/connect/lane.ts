import { randomUUID } from 'node:crypto'
import type { Sink, SinkTask } from '../../dsl/connect/index.ts'
import type { DeliverNode } from '../../dsl/plan/index.ts'
import type { Clock } from '../../dsl/time/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import { backoff, pause } from './backoff.ts'
import { DeliveredBatch } from './batch.ts'
import { encodeMark, type Mark, type OutboxRow, type OutboxRows } from './outbox-rows.ts'

/** Puts a row on record, and removes others. Resolves when no crash takes it back. */
export type Settle = (key: Uint8Array, value: Uint8Array, gone: readonly Uint8Array[]) => Promise<void> | void

export interface LaneParts {
  readonly node: DeliverNode
  readonly rows: OutboxRows
  readonly reader: BackendReader
  readonly task: Omit<SinkTask, 'incarnation'>
  readonly clock: Clock
  readonly settle: Settle
  /** No other instance can have the task now; absent: there is none. */
  readonly holds?: (() => boolean) | undefined
  /** The sink has taken an epoch: there is room. */
  delivered(): void
}

/** Between two looks whether the task is known to be here, ms. */
const lookAgain = 20

/** Why a lane has left its work: the rows lie there for the next run. */
export class Left extends Error {}

/**
 * One task's way to its sink:
 *
 *     open ─▶ recover(d) ─▶ write(batch, e) … ─▶ d := e on record ─▶ commit(e) ─┐
 *                ▲               │ failed      ▲                                │
 *                └───────────────┘             └────────────────────────────────┘
 *
 * d is the last epoch that the sink has. Without `recover`, a batch that failed is written again; with it, its whole epoch is.
 */
export class Lane {
  private readonly parts: LaneParts
  private readonly task: SinkTask
  private incarnation = ''
  private sink: Sink<unknown, unknown> | undefined
  private mark: Mark
  private sealed: Mark
  private recovered = false
  private failures = 0
  private leaving = false
  private broken: unknown
  private closed = false
  private readonly leave = new AbortController()
  private running: Promise<void> | undefined

  constructor(parts: LaneParts) {
    this.parts = parts
    const lane = this
    this.task = {
      ...parts.task,
      get incarnation() {
        return lane.incarnation
      },
    }
    this.mark = parts.rows.delivered(parts.reader)
    this.sealed = parts.rows.sealed(parts.reader)
  }

  /** Bytes that wait. */
  get pending(): number {
    return this.sealed.bytes - this.mark.bytes
  }

  get idle(): boolean {
    return this.running === undefined
  }

  /** More may have been written. @param failed gets what stops the app */
  look(failed: (error: unknown) => void): void {
    const { rows, reader } = this.parts
    this.sealed = rows.sealed(reader)
    if (this.running !== undefined || this.leaving || this.broken !== undefined) return
    if (this.recovered && this.sealed.epoch <= this.mark.epoch) return
    this.running = this.run()
      .catch((error: unknown) => {
        this.broken = error
        if (!(error instanceof Left)) failed(error)
      })
      .finally(() => {
        this.running = undefined
        // sealed while it was ending
        if (this.parts.rows.sealed(reader).epoch > this.mark.epoch && this.broken === undefined) this.look(failed)
      })
  }

  /** Resolves when nothing is at work. */
  async settled(): Promise<void> {
    await this.running
  }

  /** Writes what is there, but tries no more what fails. */
  leaveSoon(): void {
    this.leaving = true
    this.leave.abort()
  }

  async close(): Promise<void> {
    this.leaveSoon()
    this.closed = true
    await this.running
    await this.sink?.close?.(this.task)
    this.sink = undefined
  }

  private async run(): Promise<void> {
    const { rows, reader } = this.parts
    await this.recover()
    while (!this.closed && this.mark.epoch < rows.sealed(reader).epoch) {
      this.sealed = rows.sealed(reader)
      await this.epoch()
      this.parts.delivered()
    }
    this.sealed = rows.sealed(reader)
  }

  private async recover(): Promise<void> {
    if (this.recovered) return
    const { parts, task } = this
    const { node, rows, reader, settle } = parts
    this.incarnation = rows.incarnation(reader) ?? this.incarnation
    if (this.incarnation === '') {
      this.incarnation = randomUUID()
      await settle(rows.incarnationAt, Buffer.from(this.incarnation), [])
    }
    await this.tried('open', async () => {
      if (!this.holds) await this.regained()
      if (this.sink === undefined) {
        const sink = node.own.make(task) as Sink<unknown, unknown>
        try {
          await sink.open?.(task)
        } catch (error) {
          await Promise.resolve(sink.close?.(task)).catch(() => {})
          throw error
        }
        this.sink = sink
      }
      await this.sink.recover?.(this.mark.epoch, task)
    })
    this.recovered = true
  }

  /** Writes the next epoch, and puts it on record. */
  private async epoch(): Promise<void> {
    const { task } = this
    const { rows, reader, settle } = this.parts
    const gone: Uint8Array[] = []
    let bytes = 0
    let done = false
    let epoch = 0
    for (let index = 0; !done; ) {
      const row = rows.next(reader, this.mark.epoch + 1, index)
      if (row === undefined) throw missing(task, this.mark.epoch + 1, index)
      epoch = row.epoch
      if (await this.write(row)) {
        gone.push(row.key)
        bytes += row.frame.length
        done = row.last
        index = row.index + 1
      } else {
        // what came before in this epoch is gone, too
        gone.length = 0
        bytes = 0
        index = 0
      }
    }
    const mark = { epoch, bytes: this.mark.bytes + bytes }
    await settle(rows.deliveredAt, encodeMark(mark), gone)
    this.mark = mark
    this.failures = 0
    const sink = this.sink as Sink<unknown, unknown>
    if (sink.commit === undefined) return
    await this.tried('commit', async () => {
      if (!this.holds) await this.regained()
      await sink.commit?.(epoch, task)
    })
  }

  /** false: the sink was put back to before the epoch. */
  private async write(row: OutboxRow): Promise<boolean> {
    const { task } = this
    const { node } = this.parts
    const sink = this.sink as Sink<unknown, unknown>
    const batch = new DeliveredBatch(row, node)
    for (;;) {
      if (!this.holds) await this.regained()
      try {
        await sink.write(batch, row.epoch, task)
        // who begins an epoch anew gets further only at its end
        if (sink.recover === undefined) this.failures = 0
        return true
      } catch (error) {
        await this.failed('write', error)
        if (sink.recover === undefined) continue
        this.recovered = false
        await this.recover()
        return false
      }
    }
  }

  private get holds(): boolean {
    return this.parts.holds?.() !== false
  }

  /**
   * Whoever was asleep, or cut off, does not know whether others have the task by now, and what they have brought to the sink:
   * nothing is done to it until that is known.
   */
  private async regained(): Promise<void> {
    while (!this.holds) {
      if (this.leaving) throw new Left()
      await pause(lookAgain, this.parts.clock, this.leave.signal)
    }
  }

  private async tried(what: string, act: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await act()
        return
      } catch (error) {
        if (error instanceof Left) throw error
        await this.failed(what, error)
      }
    }
  }

  /** Waits before the next attempt. @throws DhaaraError DHAARA_SINK_FAILED: there is none */
  private async failed(what: string, error: unknown): Promise<void> {
    const { task } = this
    const { node, clock } = this.parts
    const { retry } = node.own
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const last = ++this.failures >= retry.attempts
    const final = error instanceof DhaaraError && !error.retryable
    if (last || final) {
      const tries = final ? '' : `, ${this.failures} times in a row; at last`
      throw new DhaaraError(
        'DHAARA_SINK_FAILED',
        `sink '${node.name}' failed at ${what} for task ${task.id}${tries}: ${text}. What it does not have is kept, and written when the app is started again`,
        { step: node.name, cause: error },
      )
    }
    task.warn(`${what} of the sink failed; it is tried again`, { error: text, attempt: this.failures })
    if (!this.leaving) await pause(backoff(this.failures, retry), clock, this.leave.signal)
    if (this.leaving) throw new Left()
  }
}

const missing = ({ id }: SinkTask, epoch: number, index: number): DhaaraError =>
  new DhaaraError('DHAARA_INTERNAL', `the outbox of ${id} has no batch ${index} of epoch ${epoch}, and more was sealed`)
