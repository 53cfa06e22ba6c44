/* oxlint-disable no-unused-expressions, no-unused-vars */
// biome-ignore-all format: an expected error speaks of the one line below it
/** Patterns by themselves: what must compile, and what must not. No lambda parameter is annotated. */
import type { MatchOf } from '../../src/dsl/pattern/index.ts'
import { AfterMatchSkip, allOf, anyOf, Pattern, pattern } from '../../src/dsl/pattern/index.ts'
import { PatternMatcher } from '../../src/engine/cep/index.ts'

/** Same type, both ways. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Is<T extends true> = T

interface Order { orderId: string; total: number }
type Trade = { type: 'trade'; price: number; at: number }
type Placed = { type: 'order'; size: number; side: 'buy' | 'sell'; at: number }
type StockEvent = Placed | Trade | { type: 'cancel'; reason: string; at: number }
const isOrder = (e: StockEvent): e is Placed => e.type === 'order' // a guard used twice

const manipulation = pattern<StockEvent>()
  .begin('large').subtype(isOrder).where((e) => e.size > 50_000)
  .followedBy('reversal').subtype(isOrder).where((e, ctx) => e.size > 30_000 && e.side !== ctx.eventsFor('large')[0].side)
  .followedByAny('trades').where((e) => e.type === 'trade').oneOrMore({ gap: '3s' }).until((e) => e.type === 'cancel').optional().greedy()
  .within('1m')
export type M1 = Is<Equal<MatchOf<typeof manipulation>, {
  readonly large: readonly [Placed, ...Placed[]]
  readonly reversal: readonly [Placed, ...Placed[]]
  readonly trades?: readonly [Trade, ...Trade[]]
}>>

// the counting context is typed by name
pattern<StockEvent>()
  .begin('up').where((e) => e.type === 'trade').times(3).consecutive()
  .notFollowedBy('drop').where((e, ctx) => e.type === 'trade' && e.price < (ctx.last('up')?.price ?? 0))
  .followedBy('sell').where((e, ctx) => e.type === 'order' && ctx.count('up') === 3 && ctx.sum('up', (u) => u.price) > 10)
  .within('5m')

const one = pattern<StockEvent>()
const grouped = one.begin('x').followedBy(one.anyOf(one.begin('a').where((e) => e.type === 'trade'), one.begin('b').subtype(isOrder).next('c'))).times(2)
export const names = (m: MatchOf<typeof grouped>) => [m.x[0].at, m.a?.[0].price, m.b?.[0].size, m.c?.[0].type]
const both = one.allOf(one.begin('t').where((e) => e.type === 'trade'), one.begin('o').subtype(isOrder))
export const inAnyOrder = (m: MatchOf<typeof both>) => m.t[0].price + m.o[0].size

const matcher = new PatternMatcher(manipulation, { skip: AfterMatchSkip.none(), timeouts: true })
matcher.process({ type: 'cancel', reason: '', at: 1 }, 1).matches.map((m) => m.large[0].size)
PatternMatcher.restore(manipulation, matcher.snapshot()).advanceTime(5).timedOut.map((t) => t.partial.large?.[0].size)
new PatternMatcher(Pattern.begin('a').where((e) => e.x > 1).followedBy(anyOf(Pattern.begin('b'), Pattern.begin('c'))), {})
new PatternMatcher(Pattern.fromJSON({ steps: [{ contiguity: 'begin', name: 'a' }] })).process({}, 1).matches.map((m) => m['a']?.length)
new PatternMatcher(allOf(Pattern.begin('a'), Pattern.begin('b')), { maxPartials: 10, whenFull: 'dropOldest' })

// @ts-expect-error misspelt pattern name
one.begin('large').followedBy('next').where((e, ctx) => ctx.eventsFor('lagre').length > 0)
// @ts-expect-error misspelt name in the match
matcher.advanceTime(1).matches.map((m) => m.larg)
// @ts-expect-error misspelt name in the skip strategy
new PatternMatcher(manipulation, { skip: AfterMatchSkip.toFirst('larg') })
// @ts-expect-error a forbidden step is in no match
new PatternMatcher(one.begin('a').notNext('b').next('c'), { skip: AfterMatchSkip.toFirst('b') })
// @ts-expect-error a second quantifier
one.begin('a').oneOrMore().times(2)
// @ts-expect-error optional twice
one.begin('a').optional().optional()
// @ts-expect-error until needs an open loop
one.begin('a').times(2).until(() => true)
// @ts-expect-error greedy and combinations exclude each other
one.begin('a').oneOrMore().allowCombinations().greedy()
// @ts-expect-error a negative step has no quantifier
one.begin('a').notNext('b').oneOrMore()
// @ts-expect-error a group has no condition of its own
one.begin(one.begin('a')).where(() => true)
// @ts-expect-error names are unique
one.begin('a').next('a')
// @ts-expect-error integers change the order of a match's properties
one.begin('1')
// @ts-expect-error the pattern reads other events
one.begin('a').next(pattern<Order>().begin('b').where((o) => o.total > 1))
// @ts-expect-error an optional step may be absent
matcher.advanceTime(1).matches.map((m) => m.trades.length)
// @ts-expect-error a window is a duration
one.begin('a').within('1 minute')
