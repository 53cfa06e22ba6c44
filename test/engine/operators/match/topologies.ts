import fc from 'fast-check'
import { type MatchOptions, PatternMatcher, serdes, StreamsBuilder, watermarks } from '../../../../src/index.ts'
import type { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { is, type Item, p } from './items.ts'

export const loop = p
  .begin('l')
  .where(is('a'))
  .followedBy('m')
  .where((item, ctx) => item.kind === 'b' && ctx.count('m') < 3)
  .oneOrMore()
  .followedBy('o')
  .where(is('c'))
  .within(12)
const absent = p.begin('x').where(is('a')).notFollowedBy('not').where(is('c')).within(7)
export const ns = (events: object): number[] => Object.values(events).flatMap((list: Item[]) => list.map(({ n }) => n))

export function topologyOf(bound: number, opts: MatchOptions<Item, any> = {}) {
  const builder = new StreamsBuilder()
  builder
    .stream('in', {
      key: serdes.string(),
      value: serdes.json<Item>(),
      timestamp: (item) => item.at,
      watermark: watermarks.boundedOutOfOrderness(bound),
    })
    .match({ loop, absent }, { name: 'find', store: 'runs', ...opts })
    .late('late', { key: serdes.string(), value: serdes.json<Item>() })
    .select((tagged, key, { start, end }) => `${tagged.pattern} ${key} ${ns(tagged.match)} ${start}..${end}`, {
      timedOut: (tagged, key, at) => `gone ${tagged.pattern} ${key} ${ns(tagged.match)} @${at}`,
    })
    .to('out', { key: serdes.string(), value: serdes.string() })
  return builder.build()
}

export const records = (driver: TopologyTestDriver): string[] =>
  driver
    .output('out')
    .readAll()
    .map(({ key, value, timestamp }) => `${key}@${timestamp} ${value}`)

/** What each pattern gives for each key, found by a bare matcher of its own. */
export function expected(items: readonly Item[]): string[] {
  const out: string[] = []
  for (const [name, one] of Object.entries({ loop, absent })) {
    for (const key of new Set(items.map((item) => item.key))) {
      const matcher = new PatternMatcher<Item, any>(one, { timeouts: true })
      const take = ({ matches, timedOut }: ReturnType<typeof matcher.advanceTime>) => {
        for (const match of matches) out.push(`${name} ${key} ${ns(match)}`)
        for (const { partial, at } of timedOut) out.push(`gone ${name} ${key} ${ns(partial)} @${at}`)
      }
      for (const item of items.filter((other) => other.key === key)) take(matcher.process(item, item.at))
      take(matcher.advanceTime(Number.POSITIVE_INFINITY))
    }
  }
  return out.toSorted()
}

export const arrivals = fc.array(
  fc.record({
    key: fc.constantFrom('k1', 'k2', 'k3'),
    kind: fc.constantFrom(...'aabbbccd'),
    pause: fc.nat(3),
    delay: fc.nat(9),
    what: fc.constantFrom('go', 'go', 'go', 'checkpoint', 'restore', 'crash'),
  }),
  { maxLength: 40 },
)
type Arrivals = typeof arrivals extends fc.Arbitrary<infer A> ? A : never

/** In order of time, each at a time of its own, and in an order of arrival that stays within a bound of 40. */
export function drawn(given: Arrivals) {
  let at = 0
  const items = given.map(({ key, kind, pause }, n) => {
    at += 1 + pause
    return { key, kind, n, at }
  })
  const arrival = items.toSorted(
    (a, b) => a.at + (given[a.n]?.delay ?? 0) * 4 - (b.at + (given[b.n]?.delay ?? 0) * 4) || a.n - b.n,
  )
  return { items, arrival }
}

/** The numbers of the events that were late. */
export const late = (driver: TopologyTestDriver): number[] =>
  driver
    .output('late')
    .readAll()
    .map(({ value }) => value.n)
