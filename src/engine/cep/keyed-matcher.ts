/** The automata of one key: several patterns over one buffer of events. */
import type { Automaton } from './automaton.ts'
import { allBegun, type Beginning, joinBegun, lonely } from './begun.ts'
import { EventBuffer, type EventCodec, type EventEntry, type MatchNode } from './buffer.ts'
import { chunkOf, firstOf } from './chunk.ts'
import type { RunOwner, RunPlan } from './complete-runs.ts'
import { adopt, type Chunks, type Head, headOf, load, type TakeRow, writeAll, writeChanges } from './matcher-state.ts'
import { familiesApart, type Part, partsOf, type TakeFamily } from './parts.ts'
import { PatternRuns } from './pattern-runs.ts'
import type { Complete } from './run.ts'
import { offerEvent } from './transition.ts'

export interface MatcherPlan extends RunPlan {
  readonly automata: readonly Automaton[]
  readonly timeouts: boolean
}

/** What came out. Called while the matcher works: must not throw and must not call it. */
export interface MatchSink {
  /** @param at when it is given: time of the event that completed it, or of the timer */
  onMatch(pattern: number, match: MatchRecord, start: number, end: number, at: number): void
  onTimeout(pattern: number, partial: MatchRecord, at: number): void
  /** Partial matches that `maxPartials` cost. */
  onDropped?(pattern: number, runs: number): void
}

export type MatchRecord = Record<string, unknown[]>

export class KeyedMatcher implements RunOwner {
  private readonly plan: MatcherPlan
  private readonly out: MatchSink
  private readonly buffer = new EventBuffer()
  private readonly runs: PatternRuns[] = []
  private due = Number.POSITIVE_INFINITY
  /** The event at hand. */
  private value: unknown
  private ts = 0
  private held: EventEntry | null = null

  constructor(plan: MatcherPlan, out: MatchSink) {
    this.plan = plan
    this.out = out
    const { automata } = plan
    for (let i = 0; i < automata.length; i++) {
      this.runs.push(new PatternRuns(i, automata[i] as Automaton, plan, this.buffer, this))
    }
  }

  /** Partial matches alive, of all patterns. */
  get livePartials(): number {
    let live = 0
    for (let i = 0; i < this.runs.length; i++) live += (this.runs[i] as PatternRuns).count
    return live
  }

  /** Events held. */
  get retainedEvents(): number {
    return this.buffer.held
  }

  /** Nothing is held and nothing is waiting: the matcher can be thrown away. */
  get idle(): boolean {
    return this.buffer.held === 0
  }

  /** When time must be moved next; Infinity: never. */
  nextDue(): number {
    return this.due
  }

  /** Ends what is due at or before `t`, one due time after the other. */
  advance(t: number): void {
    // t is infinite at the end of the input.
    while (this.due <= t && this.due < Number.POSITIVE_INFINITY) {
      const { due } = this
      for (const runs of this.runs) if (runs.nextDue() === due) runs.fire(due)
      this.findDue()
    }
  }

  /** Moves time to `t`, then offers the event. If a condition throws, the event has changed nothing. */
  process(value: unknown, t: number): boolean {
    if (this.due <= t) this.advance(t)
    return this.offer(value, t)
  }

  /** Offers an event without moving time. @returns whether it changed anything */
  offer(value: unknown, t: number): boolean {
    offerEvent(value)
    return this.take(value, t)
  }

  /** Takes the event that was offered last. @returns whether it changed anything */
  take(value: unknown, t: number): boolean {
    const { runs } = this
    let changes = false
    for (let i = 0; i < runs.length; i++) if ((runs[i] as PatternRuns).plan(t)) changes = true
    if (!changes) return false
    this.value = value
    this.ts = t
    try {
      for (let i = 0; i < runs.length; i++) (runs[i] as PatternRuns).apply(t)
    } finally {
      if (this.held !== null) this.buffer.unpin(this.held)
      this.held = null
      this.value = undefined
      this.findDue()
    }
    return true
  }

  /** For the runs: the event at hand, once it is held. */
  entry(): EventEntry {
    this.held ??= this.buffer.add(this.value, this.ts)
    return this.held
  }

  /** For the runs. */
  match(pattern: number, match: Complete, at: number): void {
    this.out.onMatch(pattern, this.materialise(pattern, match.tail), match.startTs, match.tail.event.ts, at)
  }

  /** For the runs. */
  timeout(pattern: number, tail: MatchNode, at: number): void {
    if (this.plan.timeouts) this.out.onTimeout(pattern, this.materialise(pattern, tail), at)
  }

  /** For the runs. */
  dropped(pattern: number, runs: number): void {
    this.out.onDropped?.(pattern, runs)
  }

  /** Begins to note which chunks change. */
  track(): void {
    this.buffer.dirty ??= []
  }

  /** How many patterns there are. */
  get patterns(): number {
    return this.runs.length
  }

  /** The states that runs of a pattern rest in, as bits; some may be empty by now. */
  restingBits(pattern: number): number {
    return (this.runs[pattern] as PatternRuns).restingBits
  }

  head(): Head {
    return headOf(this.buffer, this.runs, this.due)
  }

  /** What can be loaded apart from the rest. */
  parts(): Part[] {
    return partsOf(this.runs)
  }

  /** As `parts`, of one pattern whose runs lie in one chunk each: gives them family by family. @returns whether they do */
  families(take: TakeFamily): boolean {
    return this.runs.length === 1 && familiesApart(this.runs[0] as PatternRuns, take)
  }

  /** Number of the next event that is held. */
  get nextSeq(): number {
    return this.buffer.nextSeq
  }

  /** Rows of all chunks. */
  chunks(codec: EventCodec): Map<number, Buffer> {
    return writeAll(this.runs, codec)
  }

  /** Gives the rows of the chunks that changed since `track` or the last call. */
  changes(codec: EventCodec, take: TakeRow): void {
    writeChanges(this.buffer, codec, take)
  }

  /**
   * Adds stored state: all chunks of a matcher, or some of its parts.
   * @throws DhaaraError DHAARA_STATE_CORRUPT if rows are missing
   */
  load({ nextSeq, waiting }: Pick<Head, 'nextSeq' | 'waiting'>, chunks: Chunks, codec: EventCodec): void {
    if (nextSeq > this.buffer.nextSeq) this.buffer.nextSeq = nextSeq
    load(this.buffer, this.runs, waiting, chunks, codec)
    this.findDue()
  }

  /** Adds what had begun apart from this matcher, by its rows; its chunks have changed then. */
  adopt(chunks: Chunks, codec: EventCodec): void {
    adopt(this.buffer, this.runs, chunks, codec)
    this.findDue()
  }

  /** Sets a chunk apart, in which no event of this matcher will lie. @returns its number */
  setApart(): number {
    const { buffer } = this
    const chunk = chunkOf(buffer.nextSeq - 1) + 1
    buffer.nextSeq = firstOf(chunk + 1)
    return chunk
  }

  /** The same, of an event that has no row yet. */
  join(beginning: Beginning, chunk: number, ts: number, value: unknown): void {
    const { buffer } = this
    joinBegun(beginning, buffer, this.runs[0] as PatternRuns, lonely(buffer, chunk, ts, value))
    this.findDue()
  }

  /** Begins matches of the only pattern, as the event did when it was decided. */
  begin(beginning: Beginning, value: unknown, ts: number): void {
    const { buffer } = this
    const event = buffer.add(value, ts)
    joinBegun(beginning, buffer, this.runs[0] as PatternRuns, event)
    buffer.unpin(event)
    this.findDue()
  }

  /** First events of the partial matches, oldest first, if all of them began in this way and did nothing since. */
  begunBy(beginning: Beginning): readonly EventEntry[] | null {
    return allBegun(beginning, this.runs[0] as PatternRuns)
  }

  /** Lets go all partial matches; nobody hears of it. */
  clear(): void {
    for (const runs of this.runs) runs.clear()
    this.findDue()
  }

  /** For one that is idle: as if it were new. */
  reset(): void {
    const { buffer } = this
    buffer.nextSeq = 0
    buffer.newest = null
    if (buffer.dirty !== null) buffer.dirty.length = 0
  }

  /** The partial matches, oldest first. */
  *partials(): Generator<{ readonly pattern: number; readonly partial: MatchRecord; readonly start: number }> {
    for (const [pattern, runs] of this.runs.entries()) {
      for (let f = runs.oldest; f !== null; f = f.after) {
        for (let run = f.first; run !== null; run = run.after)
          yield { pattern, partial: this.materialise(pattern, run.tail), start: f.startTs }
      }
    }
  }

  private findDue(): void {
    let due = Number.POSITIVE_INFINITY
    const { runs } = this
    for (let i = 0; i < runs.length; i++) due = Math.min(due, (runs[i] as PatternRuns).nextDue())
    this.due = due
  }

  /** The events of a path by name, in the pattern's order. */
  private materialise(pattern: number, tail: MatchNode): MatchRecord {
    const { names } = this.plan.automata[pattern] as Automaton
    const lists: unknown[][] = []
    for (let at: MatchNode | null = tail; at !== null; at = at.prev) {
      const list = (lists[at.step] ??= new Array<unknown>(at.n))
      list[at.n - 1] = at.event.value
    }
    const match: MatchRecord = {}
    for (let i = 0; i < lists.length; i++) {
      const list = lists[i]
      if (list !== undefined) match[names[i] as string] = list
    }
    return match
  }
}
