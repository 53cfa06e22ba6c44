import { type PatternEvent, patternBound } from '../../../workload/patterns.ts'

const slots = 2048

/** Puts events into the order of their times, by hand: a ring of milliseconds, emptied up to the watermark. */
export function byTime(take: (event: PatternEvent) => void): { add(event: PatternEvent): void; end(): void } {
  const ring: (PatternEvent[] | undefined)[] = new Array(slots).fill(undefined)
  let highest = -1
  let next = 0
  const release = (to: number): void => {
    for (; next <= to; next++) {
      const slot = ring[next & (slots - 1)]
      if (slot === undefined) continue
      for (const event of slot) take(event)
      slot.length = 0
    }
  }
  return {
    add(event) {
      const { at } = event
      if (highest < 0) next = at - patternBound - 1
      if (at > highest) {
        release(at - patternBound - 1)
        highest = at
      }
      const slot = ring[at & (slots - 1)]
      if (slot === undefined) ring[at & (slots - 1)] = [event]
      else slot.push(event)
    },
    end: () => release(highest),
  }
}
