import type { Counter } from '../operators/operator.ts'

/** Counts of a group of tasks, by name. */
export class Counters extends Map<string, Counter> {
  of(name: string): Counter {
    let counter = this.get(name)
    if (counter === undefined) {
      counter = { n: 0 }
      this.set(name, counter)
    }
    return counter
  }

  /** As they are now. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const [name, { n }] of this) counts.set(name, n)
    return counts
  }
}
