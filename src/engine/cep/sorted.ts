/**
 * One key's events by event time: holds what is ahead of the watermark W, feeds the matcher in order of (timestamp,
 * `orderBy`, arrival) once W has passed it. The watermark belongs to the task, so it comes with every call.
 *
 *     add(c@5) add(a@1) add(b@5)   advance(4): a      advance(5): b, c if orderBy puts b first, else c, b
 */
import { KeyedMatcher, type MatchSink, type PartRow } from './keyed-matcher.ts'
import type { CompiledMatcher } from './plan.ts'

/** Late for CEP: W has reached the event's time. */
export const isLate = (ts: number, watermark: number): boolean => ts <= watermark

export class SortedMatcher<T> {
  readonly matcher: KeyedMatcher
  private readonly orderBy: ((a: T, b: T) => number) | undefined
  /** By time; arrival order among equal ones. */
  private events: { readonly ts: number; readonly value: T }[] = []
  /** Events before this index were fed. */
  private head = 0

  constructor(compiled: CompiledMatcher, out: MatchSink, orderBy?: (a: T, b: T) => number) {
    this.matcher = new KeyedMatcher(compiled, out)
    this.orderBy = orderBy
  }

  /**
   * Holds an event until W passes it.
   * @returns false if it is late: then it takes part in nothing
   */
  add(value: T, ts: number, watermark: number): boolean {
    if (isLate(ts, watermark)) return false
    const { events } = this
    let at = events.length
    while (at > this.head && (events[at - 1] as { ts: number }).ts > ts) at--
    if (at === events.length) events.push({ ts, value })
    else events.splice(at, 0, { ts, value })
    return true
  }

  /** Feeds what W has passed, each event at its time, then moves time to W itself. */
  advance(watermark: number): void {
    const { events, matcher } = this
    while (this.head < events.length) {
      const { ts } = events[this.head] as { ts: number }
      if (ts > watermark) break
      let end = this.head + 1
      while (end < events.length && (events[end] as { ts: number }).ts === ts) end++
      if (this.orderBy !== undefined && end > this.head + 1) this.sortEqual(end)
      // An event whose condition throws is not fed again.
      while (this.head < end) matcher.process((events[this.head++] as { value: T }).value, ts)
    }
    if (this.head > 32 && this.head * 2 > events.length) {
      this.events = events.slice(this.head)
      this.head = 0
    } else if (this.head === events.length) {
      events.length = 0
      this.head = 0
    }
    matcher.advance(watermark)
  }

  /** The time W must reach for `advance` to do something; Infinity: never. */
  nextDue(): number {
    const held = this.events[this.head]
    return Math.min(held === undefined ? Number.POSITIVE_INFINITY : held.ts, this.matcher.nextDue())
  }

  /** Events ahead of W. */
  get pending(): number {
    return this.events.length - this.head
  }

  /** Nothing is held: the key can be forgotten. */
  get idle(): boolean {
    return this.pending === 0 && this.matcher.idle
  }

  /** The matcher's parts, and `p`: `[ts, value, ts, value, …]` of the events ahead of W. */
  parts(): Map<string, PartRow> {
    const parts = this.matcher.parts()
    if (this.pending > 0)
      parts.set(
        'p',
        this.events.slice(this.head).flatMap(({ ts, value }) => [ts, value]),
      )
    return parts
  }

  /** Takes the state that `parts` describe; only into a matcher that saw no event. */
  load(parts: ReadonlyMap<string, PartRow>): void {
    this.matcher.load([...parts].filter(([name]) => name !== 'p'))
    const row = parts.get('p') ?? []
    for (let i = 0; i < row.length; i += 2) this.events.push({ ts: row[i] as number, value: row[i + 1] as T })
  }

  private sortEqual(end: number): void {
    const equal = this.events.slice(this.head, end)
    const { orderBy } = this
    equal.sort((a, b) => orderBy?.(a.value, b.value) ?? 0)
    for (const [i, event] of equal.entries()) this.events[this.head + i] = event
  }
}
