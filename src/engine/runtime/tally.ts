import type { Counters } from './counters.ts'

type Counts = Map<string, number>

/**
 * Counts of tasks that are made anew now and then: after an epoch was taken back, for a new topic, after an assignment. What was
 * committed of those before stays counted; what was not is done again, and counted then.
 */
export class Tally {
  /** Of groups of tasks that are gone. */
  private before: Counts = new Map()
  /** Of the present one. */
  private sealed: Counts = new Map()
  private settled: Counts = new Map()

  seal(counters: Counters): void {
    this.sealed = counters.counts()
  }

  /** What was sealed last. */
  committed(): void {
    this.settled = this.sealed
  }

  /** The present group is gone. */
  beginAnew(): void {
    this.before = added(this.before, this.settled)
    this.sealed = new Map()
    this.settled = this.sealed
  }

  /** All, with what the present group has counted. */
  counts(counters: Counters | undefined): Counts {
    return counters === undefined ? added(this.before, this.settled) : added(this.before, counters.counts())
  }
}

function added(before: Counts, more: Counts): Counts {
  const counts = new Map(before)
  for (const [name, n] of more) counts.set(name, (counts.get(name) ?? 0) + n)
  return counts
}
