import { type Pattern, pattern, PatternMatcher } from '../../../src/index.ts'
import { Random } from '../../workload/random.ts'
import type { MicroCase } from './case.ts'

interface Event {
  readonly type: string
}

const perCall = 1000
const p = pattern<Event>()
const is = (type: string) => (event: Event) => event.type === type
const a = p.begin('a').where(is('A'))
const strict = a.next('b').where(is('B'))
const relaxed = a.followedBy('b').where(is('B')).followedBy('c').where(is('C')).within('10s')

/** A, B, C, D with shares of 10, 10, 10 and 70 %, one a millisecond. */
function matched(name: string, of: Pattern<Event, any>): MicroCase {
  const random = new Random(9)
  const events = Array.from({ length: perCall }, () => ({ type: 'ABCDDDDDDD'[random.below(10)] as string }))
  let now = 0
  return {
    name,
    perCall,
    run() {
      const matcher = new PatternMatcher(of)
      let matches = 0
      for (const event of events) matches += matcher.process(event, ++now).matches.length
      return matches
    },
  }
}

export const patterns: readonly MicroCase[] = [
  matched('match A next B', strict),
  matched('match A, B, C within 10 s', relaxed),
]
