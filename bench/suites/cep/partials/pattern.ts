import { pattern } from '../../../../src/index.ts'
import type { Reference } from '../../../harness/subject.ts'
import type { PatternEvent } from '../../../workload/patterns.ts'
import type { MakeFinder } from '../../ceilings/common/patterns-by-hand.ts'

/** An A, and a B of the same value within the time. */
export const sameValue = (within: number) =>
  pattern<PatternEvent>()
    .begin('a')
    .where((event) => event.type === 'A')
    .followedBy('b')
    .where((event, ctx) => event.type === 'B' && event.value === ctx.last('a')?.value)
    .within(within)

/** The As of a key in a line; the first leave it when their time is over. */
export const sameValueByHand =
  (within: number): MakeFinder =>
  (give) => {
    const open = new Map<string, PatternEvent[]>()
    return (event) => {
      if (event.type === 'D') return
      const line = open.get(event.key)
      if (event.type === 'A') {
        if (line === undefined) open.set(event.key, [event])
        else {
          while (line.length > 0 && event.at - line[0]!.at >= within) line.shift()
          line.push(event)
        }
      } else if (line !== undefined) {
        const left: PatternEvent[] = []
        for (const a of line) {
          if (event.at - a.at >= within) continue
          if (a.value === event.value) give(2 + event.at - a.at)
          else left.push(a)
        }
        open.set(event.key, left)
      }
    }
  }

/** Each A with the first B of its key and value that comes in time. */
export const sameValueReference = (within: number): Reference<PatternEvent> =>
  function* (events) {
    const open = new Map<string, PatternEvent[]>()
    for (const event of events) {
      const key = `${event.key} ${event.value}`
      if (event.type === 'A') open.set(key, [...(open.get(key) ?? []), event])
      else if (event.type === 'B') {
        for (const a of open.get(key) ?? []) if (event.at - a.at < within) yield 2 + event.at - a.at
        open.delete(key)
      }
    }
  }
