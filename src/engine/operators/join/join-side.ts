import type { JoinGroup, JoinTable, Kept } from '../../../state/stores/index.ts'
import type { TaskClock } from '../../time/clock.ts'
import { Heap } from '../heap.ts'

/** A record that will come out alone if no partner comes until its window closes. */
export interface Waiting {
  readonly group: JoinGroup
  readonly record: Kept
}

/**
 * The records that one side of a stream-stream join keeps. Whether a record has met a partner stands with it; the order in
 * which those without one come out is made for one stretch of time after the other, when its first window may close.
 */
export class JoinSide {
  readonly table: JoinTable
  /** A record's window closes so long after it: `after` (of the other side `before`) + grace. */
  readonly reach: number
  /** Do its records come out alone? */
  readonly keeps: boolean
  private readonly waiting: Heap<Waiting>
  /** Stretches that start until here are in the heap. */
  private loaded = Number.NEGATIVE_INFINITY

  constructor(table: JoinTable, reach: number, keeps: boolean) {
    this.table = table
    this.reach = reach
    this.keeps = keeps
    const { compare } = table.space.keys
    this.waiting = new Heap((a, b) => {
      if (a.record.ts !== b.record.ts) return a.record.ts < b.record.ts
      return a.group === b.group ? a.record.n < b.record.n : compare(a.group.key, b.group.key) < 0
    })
  }

  /**
   * Keeps a record whose window is open.
   * @returns when this side is to be looked at because of it; Infinity: no earlier than before
   */
  add(key: unknown, id: string | number, ts: number, value: unknown, matched: boolean): number {
    const { table, reach } = this
    const start = table.startOf(ts)
    const fresh = table.isNew(start)
    const group = table.add(start, key, id, ts, value, matched)
    if (this.keeps && !matched && start <= this.loaded) {
      this.waiting.push({ group, record: group.arrived[group.arrived.length - 1] as Kept })
      return ts + reach
    }
    if (!fresh) return Number.POSITIVE_INFINITY
    return this.keeps ? start + reach : this.gone(start)
  }

  /** When something may be due; may be too early. */
  nextAt(): number {
    const [first] = this.table.liveStarts
    if (first === undefined) return Number.POSITIVE_INFINITY
    const gone = this.gone(first)
    if (!this.keeps) return gone
    const next = this.nextStretch()
    const alone = this.first()
    let at = next === undefined ? gone : Math.min(gone, next + this.reach)
    if (alone !== undefined) at = Math.min(at, alone.record.ts + this.reach)
    return at
  }

  /** Makes `first` know all that is due at `at`. @param clock windows that were closed by its W have been dealt with */
  load(at: number, clock: TaskClock): void {
    if (!this.keeps) return
    for (;;) {
      const start = this.nextStretch()
      if (start === undefined || start + this.reach > at) return
      this.loaded = start
      for (const group of this.table.pin(start)) {
        const w = clock.wOf(group.key)
        for (const record of group.records)
          if (!record.matched && record.ts + this.reach > w) this.waiting.push({ group, record })
      }
    }
  }

  /** Of the records that met nobody, the one whose window closes first. */
  first(): Waiting | undefined {
    for (let top = this.waiting.first; top !== undefined; top = this.waiting.first) {
      if (!top.record.matched) return top
      this.waiting.pop()
    }
    return undefined
  }

  take(): void {
    this.waiting.pop()
  }

  /** Forgets stretches whose windows have all closed. */
  drop(at: number): void {
    const { table } = this
    for (let [first] = table.liveStarts; first !== undefined && this.gone(first) <= at; [first] = table.liveStarts)
      table.drop(first)
  }

  private gone(start: number): number {
    return start + this.table.span - 1 + this.reach
  }

  private nextStretch(): number | undefined {
    const { liveStarts } = this.table
    // live ones that are in the heap are few: those whose windows are closing
    for (const start of liveStarts) if (start > this.loaded) return start
    return undefined
  }
}
