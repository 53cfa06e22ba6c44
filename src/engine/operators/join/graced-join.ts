import type { UserFn } from '../../../dsl/plan/index.ts'
import type { JoinTable } from '../../../state/stores/index.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import { JoinSide } from './join-side.ts'
import { type Counter, type Emit, noEmit, type OperatorContext } from '../operator.ts'
import type { VersionedReader } from '../table/table-reader.ts'

/**
 * Stream-table join with grace: a record waits until W has passed its time by `grace`, so that what the table tells about
 * that time has come, and then joins the row that held at its time. W counts the table's input too.
 *
 *     table    ──a@1────────b@6────▶        grace = 2
 *     stream   ─────A@5──────────C@9▶       A joins a, when W >= 7
 *
 * A record for which it is too late to wait joins at once. Records come out in the order of (time, key bytes, arrival).
 */
export class GracedJoin implements Timed {
  readonly stepId: number
  out: Emit = noEmit
  private readonly rows: VersionedReader
  private readonly joiner: UserFn
  private readonly keepsLeft: boolean
  private readonly waiting: JoinSide
  private readonly copy: ((value: unknown) => unknown) | undefined
  private readonly clock: TaskClock
  private readonly nullKeys: Counter
  private readonly nullValues: Counter
  private readonly late: Counter

  /** @param copy given where values may be changed in place after they were sent */
  constructor(
    stepId: number,
    name: string,
    { how, joiner, grace, copy }: GracedJoinSpec,
    rows: VersionedReader,
    buffer: JoinTable,
    ctx: OperatorContext,
  ) {
    this.stepId = stepId
    this.rows = rows
    this.joiner = joiner
    this.keepsLeft = how === 'left'
    this.waiting = new JoinSide(buffer, grace, true)
    this.copy = copy
    this.clock = ctx.clock
    this.nullKeys = ctx.dropped(name, 'null-key')
    this.nullValues = ctx.dropped(name, 'null-value')
    this.late = ctx.dropped(name, 'late')
  }

  process(key: unknown, value: unknown, ts: number): void {
    if (value === null || value === undefined) {
      this.nullValues.n++
      return
    }
    if (key === null || key === undefined) {
      if (this.keepsLeft) this.out(key, this.joiner(value, null, key), ts)
      else this.nullKeys.n++
      return
    }
    const { waiting, clock, copy } = this
    if (ts + waiting.reach <= clock.wOf(key)) {
      this.late.n++
      this.emit(key, value, ts)
      return
    }
    const id = waiting.table.space.keys.id(key)
    clock.notice(waiting.add(key, id, ts, copy === undefined ? value : copy(value), false))
  }

  private emit(key: unknown, value: unknown, ts: number): void {
    const row = this.rows.asOf(key, ts)
    if (row !== undefined) this.out(key, this.joiner(value, row, key), ts)
    else if (this.keepsLeft) this.out(key, this.joiner(value, null, key), ts)
  }

  nextAt(): number {
    return this.waiting.nextAt()
  }

  fire(at: number): void {
    const { waiting } = this
    waiting.load(at, this.clock)
    for (let due = waiting.first(); due !== undefined && due.record.ts + waiting.reach <= at; due = waiting.first()) {
      waiting.take()
      this.emit(due.group.key, due.record.value, due.record.ts)
    }
    waiting.drop(at)
  }
}

export interface GracedJoinSpec {
  readonly how: 'inner' | 'left'
  readonly joiner: UserFn
  readonly grace: number
  readonly copy: ((value: unknown) => unknown) | undefined
}
