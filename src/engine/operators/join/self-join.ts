import type { UserFn } from '../../../dsl/plan/index.ts'
import type { JoinTable } from '../../../state/stores/index.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import { JoinSide } from './join-side.ts'
import { type Counter, type Emit, noEmit, type OperatorContext } from '../operator.ts'
import type { StreamJoinSpec } from './stream-join.ts'

/**
 * A stream joined with itself, over one store. The same pairs come out, in the same order, as if it were two streams: first
 * the record as the left one, then as the right one. It always meets itself, so that none comes out alone but those
 * without a key.
 */
export class SelfJoin implements Timed {
  readonly stepId: number
  out: Emit = noEmit
  private readonly kept: JoinSide
  private readonly joiner: UserFn
  private readonly before: number
  private readonly after: number
  private readonly grace: number
  private readonly how: 'inner' | 'left' | 'outer'
  private readonly copy: ((value: unknown) => unknown) | undefined
  private readonly clock: TaskClock
  private readonly nullKeys: Counter
  private readonly nullValues: Counter
  private readonly late: Counter

  constructor(
    stepId: number,
    name: string,
    { how, joiner, windows, copy }: StreamJoinSpec,
    table: JoinTable,
    ctx: OperatorContext,
  ) {
    const { before, after, grace } = windows
    this.stepId = stepId
    this.kept = new JoinSide(table, Math.max(before, after) + grace, false)
    this.joiner = joiner
    this.before = before
    this.after = after
    this.grace = grace
    this.how = how
    this.copy = copy
    this.clock = ctx.clock
    this.nullKeys = ctx.dropped(name, 'null-key')
    this.nullValues = ctx.dropped(name, 'null-value')
    this.late = ctx.dropped(name, 'late')
  }

  left(key: unknown, value: unknown, ts: number): void {
    if (value === null || value === undefined) {
      this.nullValues.n++
      return
    }
    if (key === null || key === undefined) {
      if (this.how === 'inner') this.nullKeys.n++
      else this.out(key, this.joiner(value, null, key), ts)
      return
    }
    const { table } = this.kept
    const id = table.space.keys.id(key)
    const from = Math.max(ts - this.before, this.clock.wOf(key) - this.before - this.grace + 1)
    const to = ts + this.after
    for (let start = table.startOf(from); start <= to; start += table.span) {
      const group = table.find(start, key, id)
      if (group === undefined) continue
      const { records } = group
      for (let i = group.from(from); i < records.length; i++) {
        const other = records[i]!
        if (other.ts > to) break
        this.out(key, this.joiner(value, other.value, key), ts > other.ts ? ts : other.ts)
      }
    }
  }

  right(key: unknown, value: unknown, ts: number): void {
    if (value === null || value === undefined) return
    if (key === null || key === undefined) {
      if (this.how === 'outer') this.out(key, this.joiner(null, value, key), ts)
      return
    }
    const { kept, clock } = this
    const { table } = kept
    const id = table.space.keys.id(key)
    const w = clock.wOf(key)
    const from = Math.max(ts - this.after, w - this.after - this.grace + 1)
    const to = ts + this.before
    let itself = false
    for (let start = table.startOf(from); start <= to; start += table.span) {
      const group = table.find(start, key, id)
      if (group === undefined) continue
      const { records } = group
      for (let i = group.from(from); i < records.length; i++) {
        const other = records[i]!
        if (other.ts > to) break
        if (!itself && other.ts > ts) {
          itself = true
          this.out(key, this.joiner(value, value, key), ts)
        }
        this.out(key, this.joiner(other.value, value, key), ts > other.ts ? ts : other.ts)
      }
    }
    if (!itself) this.out(key, this.joiner(value, value, key), ts)
    if (ts + kept.reach <= w) this.late.n++
    else clock.notice(kept.add(key, id, ts, this.copy === undefined ? value : this.copy(value), true))
  }

  nextAt(): number {
    return this.kept.nextAt()
  }

  fire(at: number): void {
    this.kept.drop(at)
  }
}
