import type { PatternEvent } from '../../../workload/patterns.ts'
import { byHand } from '../common/patterns-by-hand.ts'

/** The A that came last, by key, until something else comes. */
export const subject = byHand((give) => {
  const open = new Map<string, PatternEvent>()
  return (event) => {
    const first = open.get(event.key)
    if (first !== undefined && event.type === 'B') give(2 + event.at - first.at)
    if (event.type === 'A') open.set(event.key, event)
    else if (first !== undefined) open.delete(event.key)
  }
})
