import { referenceOf } from '../common/patterns-reference.ts'

/** Each A with a B right behind it. */
export const reference = referenceOf(function* (events) {
  for (const [i, a] of events.entries()) {
    const b = events[i + 1]
    if (a.type === 'A' && b?.type === 'B') yield 2 + b.at - a.at
  }
})
