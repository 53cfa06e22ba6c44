import type { UserFn } from '../../dsl/plan/index.ts'
import type { Armed, DueTable, Entry } from '../../state/stores/index.ts'
import type { CurrentRecord } from '../runtime/record.ts'
import type { TaskClock, Timed } from '../time/clock.ts'
import { type Counter, type Emit, noEmit, type OperatorContext } from './operator.ts'

/** What is known of the records with one key and one `by`. */
export interface Seen extends Armed {
  /** Times of the records that stand for their like. */
  readonly anchors: number[]
  /** `latest`: of those whose time is not up, what will go on. */
  readonly held: Candidate[]
}

interface Candidate {
  readonly anchor: number
  value: unknown
  ts: number
}

interface Due {
  readonly entry: Entry
  readonly candidate: Candidate
}

/**
 * Of records with the same key and the same `by`, less than `within` apart, one goes on: the first to arrive, at once; or
 * the latest of them by event time, when W has passed the time of the first to arrive by `within`.
 *
 *     records   x1────x2──────────x3──▶        within = d
 *     anchor    ├────d────┤       ├────d────┤  x2 is like x1, x3 is not
 *
 * An anchor is remembered for 2 d, so that a record that is late by less than d is still judged rightly. One that is later
 * cannot be: it is dropped and counted as late, since it might be a duplicate.
 */
export class Deduplicate implements Timed {
  readonly stepId: number
  out: Emit = noEmit
  private readonly by: UserFn
  private readonly within: number
  private readonly latest: boolean
  private readonly table: DueTable<Seen>
  private readonly copy: ((value: unknown) => unknown) | undefined
  private readonly rec: CurrentRecord
  private readonly clock: TaskClock
  private readonly nullKeys: Counter
  private readonly duplicates: Counter
  private readonly lateCount: Counter

  /** @param copy given where somebody may go on changing values that are held here */
  constructor(
    stepId: number,
    name: string,
    by: UserFn,
    within: number,
    keep: 'first' | 'latest',
    table: DueTable<Seen>,
    copy: ((value: unknown) => unknown) | undefined,
    rec: CurrentRecord,
    ctx: OperatorContext,
  ) {
    this.stepId = stepId
    this.by = by
    this.within = within
    this.latest = keep === 'latest'
    this.table = table
    this.copy = copy
    this.rec = rec
    this.clock = ctx.clock
    this.nullKeys = ctx.dropped(name, 'null-key')
    this.duplicates = ctx.dropped(name, 'duplicate')
    this.lateCount = ctx.dropped(name, 'late')
  }

  process(key: unknown, value: unknown, ts: number): void {
    if (key === null || key === undefined) {
      this.nullKeys.n++
      return
    }
    if (this.clock.wOf(key) >= ts + this.within - 1) {
      this.lateCount.n++
      return
    }
    const entry = this.table.rows.load([key, this.by(value, key, this.rec) ?? null])
    const seen = entry.value as Seen | undefined
    if (seen === undefined || !this.known(seen, value, ts)) this.admit(entry, seen, value, ts)
    else this.duplicates.n++
    if (this.latest && seen !== undefined) this.table.rows.set(entry, seen, entry.ts)
  }

  /** Is there one like it? Then it may take that one's place. */
  private known({ anchors, held }: Seen, value: unknown, ts: number): boolean {
    let found = false
    for (const anchor of anchors) {
      if (Math.abs(anchor - ts) >= this.within) continue
      found = true
      const candidate = held.find((one) => one.anchor === anchor)
      if (candidate === undefined) continue
      if (ts >= candidate.ts) {
        candidate.value = this.copy === undefined ? value : this.copy(value)
        candidate.ts = ts
      }
      break
    }
    return found
  }

  private admit(entry: Entry, known: Seen | undefined, value: unknown, ts: number): void {
    const seen = known ?? { armedAt: Number.POSITIVE_INFINITY, anchors: [], held: [] }
    seen.anchors.push(ts)
    const due = ts + this.within - 1
    const waits = this.latest && due > this.clock.w
    if (waits) seen.held.push({ anchor: ts, value: this.copy === undefined ? value : this.copy(value), ts })
    const at = waits ? due : this.forgetAt(ts)
    if (this.table.keep(entry, seen, seen, Math.max(ts, entry.ts), at)) this.clock.notice(at)
    if (!waits) this.out((entry.key as [unknown])[0], value, ts)
  }

  nextAt(): number {
    return this.table.nextAt()
  }

  fire(at: number): void {
    const entries = this.table.take(at)
    const due: Due[] = []
    for (const entry of entries) {
      const { held } = entry.value as Seen
      for (const candidate of held) if (this.dueAt(candidate) <= at) due.push({ entry, candidate })
    }
    const { compare } = this.table.rows.space.keys
    due.sort((a, b) => a.candidate.anchor - b.candidate.anchor || compare(a.entry.key, b.entry.key))
    for (const { entry, candidate } of due) this.out((entry.key as [unknown])[0], candidate.value, candidate.ts)
    for (const entry of entries) this.sweep(entry, at)
    this.table.forget(at)
  }

  private sweep(entry: Entry, at: number): void {
    const seen = entry.value as Seen
    let next = Number.POSITIVE_INFINITY
    const held = seen.held.filter((one) => this.dueAt(one) > at)
    const anchors = seen.anchors.filter((anchor) => this.forgetAt(anchor) > at)
    for (const candidate of held) next = Math.min(next, this.dueAt(candidate))
    for (const anchor of anchors) next = Math.min(next, this.forgetAt(anchor))
    const row = { armedAt: seen.armedAt, anchors, held }
    const ts = Math.max(...anchors, Number.NEGATIVE_INFINITY)
    this.table.keep(entry, anchors.length === 0 ? undefined : row, row, ts, next)
  }

  private dueAt({ anchor }: Candidate): number {
    return anchor + this.within - 1
  }

  private forgetAt(anchor: number): number {
    return anchor + 2 * this.within - 2
  }
}
