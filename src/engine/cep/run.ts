import type { MatchNode } from './buffer.ts'
import type { Chunk } from './chunk.ts'

/** A partial match: the state it rests in and the path of events it took. */
export class Run {
  state: number
  tail: MatchNode
  readonly family: Family
  /** Neighbours in the family. */
  before: Run | null = null
  after: Run | null = null
  /** Place in the list of its state. */
  slot = -1
  /** Place in the family, as last numbered. */
  place = 0
  /** When the window of its state ends it; Infinity: never. */
  due = Number.POSITIVE_INFINITY
  alive = true

  constructor(state: number, tail: MatchNode, family: Family) {
    this.state = state
    this.tail = tail
    this.family = family
  }
}

/**
 * All runs that began with one event, in the order in which Flink keeps partial matches: what a run becomes takes its
 * place. They end together when the window of the whole pattern does, and a skip strategy drops them together.
 */
export class Family {
  readonly startTs: number
  readonly startSeq: number
  /** That of its first event. */
  readonly chunk: Chunk
  readonly pattern: number
  first: Run | null = null
  last: Run | null = null
  before: Family | null = null
  after: Family | null = null

  constructor(startTs: number, startSeq: number, chunk: Chunk, pattern: number) {
    this.startTs = startTs
    this.startSeq = startSeq
    this.chunk = chunk
    this.pattern = pattern
  }

  /** Puts `run` behind `place`, or last. */
  insert(run: Run, place: Run | null): void {
    const next = place === null ? null : place.after
    const previous = place ?? this.last
    run.before = previous
    run.after = next
    if (previous === null) this.first = run
    else previous.after = run
    if (next === null) this.last = run
    else next.before = run
  }

  remove(run: Run): void {
    if (run.before === null) this.first = run.after
    else run.before.after = run.after
    if (run.after === null) this.last = run.before
    else run.after.before = run.before
  }

  number(): void {
    let place = 0
    for (let run = this.first; run !== null; run = run.after) run.place = place++
  }
}

/** A match whose events are all there. With a skip strategy it waits for the partial matches that began before it. */
export interface Complete {
  readonly startTs: number
  readonly startSeq: number
  readonly tail: MatchNode
  /** Order among those of one family: place of the run, then of its transition. */
  readonly place: number
  readonly branch: number
}

/** Events by time, then by arrival. */
export const byStart = (
  a: { readonly startTs: number; readonly startSeq: number },
  b: { readonly startTs: number; readonly startSeq: number },
): number => a.startTs - b.startTs || a.startSeq - b.startSeq

export const byPlace = (a: Complete, b: Complete): number => byStart(a, b) || a.place - b.place || a.branch - b.branch
