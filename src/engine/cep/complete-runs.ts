import type { SkipSpec } from '../../dsl/pattern/index.ts'
import type { Automaton } from './automaton.ts'
import type { EventBuffer, EventEntry, MatchNode } from './buffer.ts'
import { Queue } from './queue.ts'
import { byStart, type Complete, type Family } from './run.ts'
import { RunStore } from './run-store.ts'
import { type SkipFrom, skipFrom } from './skip.ts'

export interface RunLimits {
  readonly maxPartials: number
  readonly whenFull: 'dropOldest' | 'dropNewest' | 'fail'
}

export interface RunPlan {
  readonly skip: SkipSpec
  readonly limits: RunLimits
}

/** Gives the event at hand, and gets what comes out. */
export interface RunOwner {
  /** The entry of the event at hand, made when the first run takes it. */
  entry(): EventEntry
  match(pattern: number, complete: Complete, at: number): void
  timeout(pattern: number, tail: MatchNode, at: number): void
  dropped(pattern: number, runs: number): void
}

/** Runs whose complete matches go out as the skip strategy says. */
export class CompleteRuns extends RunStore {
  /** Complete matches that wait for partial ones that began earlier; null without a skip strategy. */
  readonly waiting: Queue<Complete> | null
  protected readonly setup: RunPlan
  protected readonly owner: RunOwner

  constructor(pattern: number, automaton: Automaton, plan: RunPlan, buffer: EventBuffer, owner: RunOwner) {
    super(pattern, automaton, buffer)
    this.setup = plan
    this.owner = owner
    this.waiting = plan.skip.kind === 'none' ? null : new Queue<Complete>(byStart)
  }

  protected complete(family: Family, tail: MatchNode, place: number, branch: number): Complete {
    tail.refs++
    return { startTs: family.startTs, startSeq: family.startSeq, tail, place, branch }
  }

  /** Gives matches away as the skip strategy says. */
  protected finish(complete: readonly Complete[], at: number): void {
    const { waiting } = this
    if (waiting === null) {
      for (const match of complete) this.give(match, at)
      return
    }
    if (complete.length > 0) {
      // Flink collects the matches of an event in a queue of their own first, which fixes the order of equal ones.
      const fresh = new Queue<Complete>(byStart)
      for (const match of complete) fresh.add(match)
      for (const match of fresh.items) waiting.add(match)
    }
    for (let match = waiting.peek(); match !== undefined; match = waiting.peek()) {
      if (this.oldest !== null && byStart(match, this.oldest) > 0) break
      waiting.poll()
      const from = this.skipOf(match)
      if (from !== null) {
        this.dropBefore(from.ts, from.seq)
        waiting.removeIf((other) => {
          const gone = other.startTs < from.ts || (other.startTs === from.ts && other.startSeq < from.seq)
          if (gone) this.buffer.release(other.tail)
          return gone
        })
      }
      this.give(match, at)
    }
  }

  private skipOf(match: Complete): SkipFrom | null {
    try {
      return skipFrom(this.setup.skip, match, this.automaton.names)
    } catch (e) {
      this.buffer.release(match.tail)
      throw e
    }
  }

  private give(match: Complete, at: number): void {
    this.owner.match(this.pattern, match, at)
    this.buffer.release(match.tail)
  }
}
