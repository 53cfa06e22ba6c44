import { pattern, PatternMatcher } from '../../../src/index.ts'

interface Event {
  readonly type: 'A' | 'B' | 'D'
  readonly at: number
}

export interface GrowthLine {
  readonly case: 'growth-partials' | 'growth-loop'
  /** Live partial matches, or events of the loop. */
  readonly size: number
  readonly nsPerEvent: number
  /** The smallest size. */
  readonly against: string
  /** Events in the same time, as a share of those at the smallest size. */
  readonly ratio: number
  readonly ratioOf: 'cpu'
}

const p = pattern<Event>()
const events = 200_000

/** An event that does nothing, with more and more partial matches live; and events of a loop that gets longer and longer. */
export function growth(): GrowthLine[] {
  return [
    ...lines('growth-partials', [1, 10, 100, 1_000], besidePartials),
    ...lines('growth-loop', [10, 100, 1_000, 10_000], alongLoop),
  ]
}

function lines(name: GrowthLine['case'], sizes: readonly number[], measure: (size: number) => number): GrowthLine[] {
  const times = sizes.map((size) => {
    measure(size)
    return Math.min(...[1, 2, 3].map(() => measure(size)))
  })
  const [first] = times as [number]
  return sizes.map((size, i) => ({
    case: name,
    size,
    nsPerEvent: Math.round(times[i] as number),
    against: `${name} ${sizes[0]}`,
    ratio: Number((first / (times[i] as number)).toFixed(2)),
    ratioOf: 'cpu',
  }))
}

function besidePartials(live: number): number {
  const matcher = new PatternMatcher(
    p
      .begin('a')
      .where((event) => event.type === 'A')
      .followedBy('b')
      .where((event) => event.type === 'B'),
  )
  for (let at = 0; at < live; at++) matcher.process({ type: 'A', at }, at)
  return timed(() => {
    for (let at = live; at < live + events; at++) matcher.process({ type: 'D', at }, at)
    return events
  })
}

function alongLoop(length: number): number {
  const loop = p
    .begin('a')
    .where((event) => event.type === 'A')
    .followedBy('b')
    .where((event) => event.type === 'B')
    .oneOrMore()
    .greedy()
    .followedBy('d')
    .where((event, ctx) => event.type === 'D' && ctx.count('b') > 0)
    .within(length * 2)
  return timed(() => {
    const rounds = Math.ceil(events / length)
    const matcher = new PatternMatcher(loop)
    let at = 0
    for (let round = 0; round < rounds; round++) {
      matcher.process({ type: 'A', at }, at++)
      for (let i = 0; i < length; i++) matcher.process({ type: 'B', at }, at++)
      matcher.advanceTime((at += 2 * length))
    }
    return rounds * (length + 1)
  })
}

/** Nanoseconds of this thread's own time an event. */
function timed(run: () => number): number {
  const begun = process.threadCpuUsage()
  const n = run()
  const { user, system } = process.threadCpuUsage(begun)
  return ((user + system) * 1000) / n
}
