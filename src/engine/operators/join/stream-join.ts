import type { JoinWindowSpec, UserFn } from '../../../dsl/plan/index.ts'
import type { JoinTable } from '../../../state/stores/index.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import { JoinSide, type Waiting } from './join-side.ts'
import { type Counter, type Emit, noEmit, type OperatorContext } from '../operator.ts'

export interface StreamJoinSpec {
  readonly how: 'inner' | 'left' | 'outer'
  readonly joiner: UserFn
  readonly windows: JoinWindowSpec
  /** Given where values may be changed in place after they were sent. */
  readonly copy: ((value: unknown) => unknown) | undefined
}

/**
 * Stream-stream join: pairs of one key with left.ts - before <= right.ts <= left.ts + after.
 *
 *     left    ──────A────────────────▶ time        before = 2, after = 6, grace = 3
 *     A meets     [··A······]                      right records from A - 2 to A + 6
 *     W       ───────────────────┴──▲              A's window closes when W >= A + after + grace
 *
 * A record meets what is there: records of the other side whose own windows are open. Then it is kept until its window
 * closes; if it has met nobody by then, and its side is preserved, it comes out alone, once. A record whose window has closed
 * before it came meets what is there, and is not kept. Pairs come out in the order of (the other's time, its arrival),
 * with the higher of the two times; records alone in the order of (close, time, key bytes, left before right).
 */
export class StreamJoin implements Timed {
  readonly stepId: number
  out: Emit = noEmit
  private readonly lefts: JoinSide
  private readonly rights: JoinSide
  private readonly joiner: UserFn
  private readonly before: number
  private readonly after: number
  private readonly copy: ((value: unknown) => unknown) | undefined
  private readonly clock: TaskClock
  private readonly nullKeys: Counter
  private readonly nullValues: Counter
  private readonly late: Counter

  constructor(
    stepId: number,
    name: string,
    { how, joiner, windows, copy }: StreamJoinSpec,
    left: JoinTable,
    right: JoinTable,
    ctx: OperatorContext,
  ) {
    const { before, after, grace } = windows
    this.stepId = stepId
    this.lefts = new JoinSide(left, after + grace, how !== 'inner')
    this.rights = new JoinSide(right, before + grace, how === 'outer')
    this.joiner = joiner
    this.before = before
    this.after = after
    this.copy = copy
    this.clock = ctx.clock
    this.nullKeys = ctx.dropped(name, 'null-key')
    this.nullValues = ctx.dropped(name, 'null-value')
    this.late = ctx.dropped(name, 'late')
  }

  left(key: unknown, value: unknown, ts: number): void {
    this.meet(this.lefts, this.rights, ts - this.before, ts + this.after, key, value, ts)
  }

  right(key: unknown, value: unknown, ts: number): void {
    this.meet(this.rights, this.lefts, ts - this.after, ts + this.before, key, value, ts)
  }

  /** @param from, to times of those that it may meet, both inclusive */
  private meet(
    own: JoinSide,
    others: JoinSide,
    from: number,
    to: number,
    key: unknown,
    value: unknown,
    ts: number,
  ): void {
    if (value === null || value === undefined) {
      this.nullValues.n++
      return
    }
    if (key === null || key === undefined) {
      if (own.keeps) this.alone(own, key, value, ts)
      else this.nullKeys.n++
      return
    }
    const { joiner } = this
    const w = this.clock.wOf(key)
    const isLeft = own === this.lefts
    const id = own.table.space.keys.id(key)
    let matched = false
    const open = w - others.reach + 1
    const first = from > open ? from : open
    const { table } = others
    for (let start = table.startOf(first); start <= to; start += table.span) {
      const group = table.find(start, key, id)
      if (group === undefined) continue
      const { records } = group
      for (let i = group.from(first); i < records.length; i++) {
        const other = records[i]!
        if (other.ts > to) break
        const pair = isLeft ? joiner(value, other.value, key) : joiner(other.value, value, key)
        this.out(key, pair, ts > other.ts ? ts : other.ts)
        matched = true
        if (others.keeps && !other.matched) table.mark(group, other)
      }
    }
    if (ts + own.reach > w) {
      this.clock.notice(own.add(key, id, ts, this.copy === undefined ? value : this.copy(value), matched))
      return
    }
    this.late.n++
    if (!matched && own.keeps) this.alone(own, key, value, ts)
  }

  /** A record that has met nobody. */
  private alone(own: JoinSide, key: unknown, value: unknown, ts: number): void {
    this.out(key, own === this.lefts ? this.joiner(value, null, key) : this.joiner(null, value, key), ts)
  }

  nextAt(): number {
    const left = this.lefts.nextAt()
    const right = this.rights.nextAt()
    return left < right ? left : right
  }

  fire(at: number): void {
    const { lefts, rights, clock } = this
    lefts.load(at, clock)
    rights.load(at, clock)
    for (;;) {
      const left = due(lefts, at)
      const right = due(rights, at)
      if (left === undefined && right === undefined) break
      if (right === undefined || (left !== undefined && this.leftFirst(left, right))) {
        this.release(lefts, left as Waiting)
      } else {
        this.release(rights, right)
      }
    }
    lefts.drop(at)
    rights.drop(at)
  }

  private release(own: JoinSide, { group, record }: Waiting): void {
    own.take()
    this.alone(own, group.key, record.value, record.ts)
  }

  private leftFirst(left: Waiting, right: Waiting): boolean {
    const closes = left.record.ts + this.lefts.reach - right.record.ts - this.rights.reach
    if (closes !== 0) return closes < 0
    if (left.record.ts !== right.record.ts) return left.record.ts < right.record.ts
    return this.lefts.table.space.keys.compare(left.group.key, right.group.key) <= 0
  }
}

const due = (side: JoinSide, at: number): Waiting | undefined => {
  const first = side.first()
  return first !== undefined && first.record.ts + side.reach <= at ? first : undefined
}

/** How long a stretch of a join's state is: a lookup meets two or three, and the open windows some thirty. */
export function joinSpan({ before, after, grace }: JoinWindowSpec): number {
  const width = before + after
  return Math.max(64, Math.ceil(width / 2), Math.ceil((width + grace) / 32))
}
