import type { Subject } from '../../../harness/subject.ts'
import type { PatternEvent } from '../../../workload/patterns.ts'
import { byTime } from './by-time.ts'

export type Give = (weight: number) => void
/** Takes a key's events one by one, in the order of their times, and gives the weight of each match. */
export type MakeFinder = (give: Give) => (event: PatternEvent) => void

/** A loop written for one pattern: events sorted, then one finder with a Map of its own state by key. */
export function byHand(make: MakeFinder): Subject<PatternEvent> {
  return {
    setup({ sink }) {
      let matches = 0
      let sum = 0
      const sorted = byTime(
        make((weight) => {
          matches++
          sum += weight
        }),
      )
      const tell = (): void => {
        sink.add(matches, sum)
        matches = 0
        sum = 0
      }
      return {
        run(_chunk, events) {
          for (let i = 0; i < events.length; i++) sorted.add(events[i]!)
          tell()
        },
        finish() {
          sorted.end()
          tell()
        },
      }
    },
  }
}
