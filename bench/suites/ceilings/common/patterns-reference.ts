import type { Reference } from '../../../harness/subject.ts'
import type { PatternEvent } from '../../../workload/patterns.ts'

/** Weights of the matches of one key, whose events are in the order of their times. */
export type Find = (events: readonly PatternEvent[]) => Iterable<number>

/** All events of a key first, sorted, then searched. */
export function referenceOf(find: Find): Reference<PatternEvent> {
  return function* (events) {
    const keys = new Map<string, PatternEvent[]>()
    for (const event of events) {
      const list = keys.get(event.key)
      if (list === undefined) keys.set(event.key, [event])
      else list.push(event)
    }
    for (const list of keys.values()) yield* find(list.sort((a, b) => a.at - b.at))
  }
}
