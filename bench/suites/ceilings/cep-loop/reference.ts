import { referenceOf } from '../common/patterns-reference.ts'

/** Each A, each number of the Bs after it, the first C after these: in less than ten seconds. */
export const reference = referenceOf(function* (events) {
  for (const [i, a] of events.entries()) {
    if (a.type !== 'A') continue
    let bs = 0
    for (let n = i + 1; n < events.length && events[n]!.at - a.at < 10_000; n++) {
      if (events[n]!.type !== 'B') continue
      bs++
      const c = events.find((event, m) => m > n && event.type === 'C')
      if (c !== undefined && c.at - a.at < 10_000) yield 2 + bs + c.at - a.at
    }
  }
})
