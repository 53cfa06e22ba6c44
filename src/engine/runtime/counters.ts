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
}
