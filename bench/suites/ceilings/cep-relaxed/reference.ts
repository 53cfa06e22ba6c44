import { referenceOf } from '../common/patterns-reference.ts'

/** Each A with the first B after it and the first C after that, in less than ten seconds. */
export const reference = referenceOf(function* (events) {
  for (const [i, a] of events.entries()) {
    if (a.type !== 'A') continue
    const b = events.findIndex((event, n) => n > i && event.type === 'B')
    const c = b < 0 ? undefined : events.find((event, n) => n > b && event.type === 'C')
    if (c !== undefined && c.at - a.at < 10_000) yield 3 + c.at - a.at
  }
})
